/** What a silence costs, and what follows it (spec 5.7). */
import { createClientSession, defaultLimits, ErrorCode } from "@sluice/protocol";
import t from "tap";
import { createControlDecoder, encodeDelimitedControl, type OutgoingControl } from "#src/control-message.js";
import { decodeDatagram } from "#src/datagram.js";
import { minPeerSilenceMs, peerSilenceMs, silencePerLife } from "#src/limits.js";
import { createOpenVictim, done, type Victim } from "./victim.js";
import { createVirtualSession, streamFrames, streamOptions } from "./virtual-session.js";

const path = { delayMs: 20, rateBitsPerSecond: 20_000_000, queueMs: 100 };

/** Everything that a server says at this moment, by kind. */
function kindsSaid({ server }: Victim, nowMs: number): string[] {
  const kinds: string[] = [];
  for (let datagram = server.pollDatagram(nowMs); datagram; datagram = server.pollDatagram(nowMs))
    kinds.push(...decodeDatagram(datagram).controls.map(({ kind }) => kind));
  const decode = createControlDecoder();
  for (let bytes = server.pollControl(); bytes; bytes = server.pollControl())
    kinds.push(...decode(bytes).map(({ kind }) => kind));
  return kinds;
}

/** Lets time pass as a driver does; returns what was said, with its times. */
function pass(victim: Victim, fromMs: number, untilMs: number) {
  const said: { readonly kind: string; readonly atMs: number }[] = [];
  let wakes = 0;
  for (let nowMs = fromMs; nowMs < untilMs; nowMs++) {
    if (victim.server.nextTimeoutMs() <= nowMs) {
      wakes++;
      victim.wait(nowMs);
    }
    said.push(...kindsSaid(victim, nowMs).map((kind) => ({ kind, atMs: nowMs })));
  }
  return { said, wakes };
}

const alive: OutgoingControl = { kind: "pong", body: { id: 999 } };

/** A server that has just heard of its client at 3 s, and owes it the results of three frames. */
function createOwing(): Victim {
  const victim = createOpenVictim({}, { deadlineMs: 20_000 });
  for (let nowMs = 0; nowMs <= 3_000; nowMs += 200) {
    victim.say(alive, nowMs);
    pass(victim, nowMs, nowMs + 200);
  }
  for (const frame of [0, 1, 2]) victim.send({ frame, count: 1 }, new Uint8Array(10), 3_200);
  victim.server.handleTimeout(3_200);
  return victim;
}

t.test("a server sends next to nothing to a silent client, and wakes for nothing else", async (t) => {
  const victim = createOwing();
  for (const frame of victim.frames()) victim.server.answer(frame, done, 3_200);
  const before = pass(victim, 3_200, 5_200).said.filter(({ kind }) => kind === "result");
  t.ok(before.length > 3, "results are repeated at first");
  victim.server.setLimits({ ...defaultLimits, framesPerSecond: 7 });
  const { said, wakes } = pass(victim, 5_200, 3_200 + peerSilenceMs - 10);
  t.ok(said.length >= 3 && said.length <= 6, `${said.length} pings`);
  t.same([...new Set(said.map(({ kind }) => kind))], ["ping"]);
  t.ok(wakes <= 12, `${wakes} wakes`);
  t.equal(victim.server.state, "open");
  // Heard again: a ping at once, and what was held back.
  const nowMs = 3_200 + peerSilenceMs - 10;
  victim.say(alive, nowMs);
  const kinds = pass(victim, nowMs, nowMs + 100).said.map(({ kind }) => kind);
  t.ok(kinds.includes("ping") && kinds.includes("limits"), `${kinds}`);
  const later = pass(victim, nowMs + 100, nowMs + 2_000).said.filter(({ kind }) => kind === "ping");
  t.ok(later.length >= 1, "and pings as ever");
});

t.test("results that may still be in time are sent when the client is heard again", async (t) => {
  const victim = createOwing();
  const frames = victim.frames();
  pass(victim, 3_200, 6_000);
  for (const frame of frames) victim.server.answer(frame, done, 6_000);
  t.notOk(pass(victim, 6_000, 9_000).said.some(({ kind }) => kind === "result"));
  victim.say(alive, 9_000);
  const { said } = pass(victim, 9_000, 9_010);
  t.equal(said.filter(({ kind }) => kind === "result").length, 3);
});

t.test("a drain does not wait for a silent client", async (t) => {
  const victim = createOwing();
  pass(victim, 3_200, 6_000);
  victim.server.drain(ErrorCode.shutdown, "", 60_000, 6_000);
  pass(victim, 6_000, 6_500);
  t.match(victim.closed, { code: ErrorCode.shutdown });
});

t.test("a server waits as long as a session has earned", async (t) => {
  for (const lifeMs of [0, 100, 300, 1_000, 1_400, 60_000]) {
    const victim = createOpenVictim();
    for (let nowMs = 0; nowMs <= lifeMs; nowMs += 100) {
      victim.say(alive, nowMs);
      pass(victim, nowMs, nowMs + 100);
    }
    const patienceMs = Math.min(peerSilenceMs, Math.max(minPeerSilenceMs, silencePerLife * lifeMs));
    pass(victim, lifeMs + 100, lifeMs + patienceMs);
    t.equal(victim.server.state, "open", `${lifeMs} ms`);
    pass(victim, lifeMs + patienceMs, lifeMs + patienceMs + 1);
    t.match(victim.closed, { code: ErrorCode.peerSilent }, `${lifeMs} ms`);
  }
});

t.test(
  "a client says when nothing is heard, asks on, but not in vain, and says when it is heard",
  async (t) => {
    const session = createVirtualSession({ seed: 1, up: path, down: path });
    const stream = session.client.openStream(streamOptions);
    session.runUntil(1_000);
    streamFrames(session, stream, { frames: 270, intervalMs: 100, bytes: new Uint8Array(2_000) });
    session.runUntil(2_000);
    const set = (loss: number) => {
      for (const link of [session.upLink, session.downLink]) link.set({ ...path, loss }, session.clock.now());
    };
    const silences = () => session.clientEvents.filter(({ type }) => type === "silence");
    set(1);
    session.runUntil(6_500);
    t.same(silences(), []);
    session.runUntil(7_600);
    t.same(silences(), [{ type: "silence", isSilent: true }]);
    const before = session.client.figures.bytesSent;
    session.runUntil(26_600);
    const bytes = session.client.figures.bytesSent - before;
    t.ok(bytes > 100 && bytes < 1_000, `${bytes} bytes in 19 s of darkness`);
    set(0);
    session.runUntil(27_300);
    t.same(silences().slice(1), [{ type: "silence", isSilent: false }]);
    const { delivered } = session.client.figures;
    session.runUntil(28_200);
    t.ok(session.client.figures.delivered >= delivered + 5, "frames flow again");
    t.same([session.client.state, session.server.state], ["open", "open"]);
  },
);

t.test("what counts as a silence can be chosen", async (t) => {
  for (const silenceMs of [0, -1, Number.NaN])
    t.throws(() => createClientSession({ agent: "test", silenceMs }, 0), {
      ...{ name: "RangeError", message: /^silenceMs/ },
    });
  const client = createClientSession({ agent: "test", silenceMs: 2_000 }, 0);
  client.handleControl(encodeDelimitedControl({ kind: "welcome", body: { version: 1 } }), 0);
  t.match(client.pollEvent(), { type: "open" });
  client.handleTimeout(1_999);
  t.equal(client.pollEvent(), undefined);
  client.handleTimeout(2_000);
  t.match(client.pollEvent(), { type: "silence", isSilent: true });
  client.handleTimeout(3_000);
  t.equal(client.pollEvent(), undefined, "it is told once");
});
