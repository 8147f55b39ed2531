/** How sessions begin, stay alive and end: capabilities, silence, the control stream's end, drains, frame numbers. */
import {
  createClientSession,
  createServerSession,
  defaultLimits,
  ErrorCode,
  type ServerSession,
} from "@sluice/protocol";
import t from "tap";
import { createControlDecoder, encodeDelimitedControl, type OutgoingControl } from "#src/control-message.js";
import { maxFrameNumber, minPeerSilenceMs, peerSilenceMs } from "#src/limits.js";
import { encodeTensor } from "#src/tensor-framing.js";
import { createOpenVictim, createVictim, done, hello } from "./victim.js";
import { createVirtualSession, streamFrames, streamOptions } from "./virtual-session.js";

const path = { delayMs: 20, rateBitsPerSecond: 20_000_000, queueMs: 100 };

/** What a core says on its control stream. */
function said(core: { pollControl(): Uint8Array | undefined }) {
  const decode = createControlDecoder();
  const messages: ReturnType<typeof decode> = [];
  for (let bytes = core.pollControl(); bytes; bytes = core.pollControl()) messages.push(...decode(bytes));
  return messages;
}

t.test("capabilities are those of both, unknown ones are ignored on either side", async (t) => {
  const client = createClientSession({ agent: "test", capabilities: ["a", "b", "teleport"] }, 0);
  const server = createServerSession(
    { agent: "test", limits: defaultLimits, capabilities: ["b", "c", "a"] },
    0,
  );
  for (let bytes = client.pollControl(); bytes; bytes = client.pollControl()) server.handleControl(bytes, 0);
  t.same(server.capabilities, ["a", "b"]);
  t.match(server.pollEvent(), { type: "open", capabilities: ["a", "b"] });
  t.same(client.capabilities, []);
  for (let bytes = server.pollControl(); bytes; bytes = server.pollControl()) client.handleControl(bytes, 0);
  t.same(client.capabilities, ["a", "b"]);
  t.match(client.pollEvent(), { type: "open", capabilities: ["a", "b"] });

  const careful = createClientSession({ agent: "test", capabilities: ["a"] }, 0);
  const welcome = { version: 1, capabilities: ["x", "a", "x", "a"] };
  careful.handleControl(encodeDelimitedControl({ kind: "welcome", body: welcome }), 0);
  t.same(careful.capabilities, ["a"], "what was not offered is not agreed on");

  const plain = createServerSession({ agent: "test", limits: defaultLimits }, 0);
  plain.handleControl(
    encodeDelimitedControl({ kind: "hello", body: { versions: [1], capabilities: ["a"] } }),
    0,
  );
  t.match(said(plain), [{ kind: "welcome", body: { capabilities: [] } }]);
});

t.test("a client that would say too much in its hello is told so", async (t) => {
  const names = Array.from({ length: 65 }, (_, i) => `${i}`);
  t.throws(() => createClientSession({ agent: "test", capabilities: names }, 0), { name: "RangeError" });
  t.throws(() => createClientSession({ agent: "test", token: new Uint8Array(4_097) }, 0), /4096 bytes/);
  const victim = createVictim();
  victim.say({ kind: "hello", body: { versions: [1], capabilities: names } });
  t.match(victim.closed, { code: ErrorCode.limitExceeded });
});

t.test("a server gives up a client that has fallen silent, whatever kept it alive before", async (t) => {
  const signs: Record<string, (server: ServerSession, nowMs: number) => void> = {
    nothing: () => {},
    "messages on the control stream": (server, nowMs) =>
      server.handleControl(encodeDelimitedControl({ kind: "ping", body: { id: 1 } }), nowMs),
    "datagrams, even empty ones": (server, nowMs) => server.handleDatagram(new Uint8Array(0), nowMs),
    "bytes of a tensor": (server, nowMs) =>
      server.handleTensorStream(7, long.subarray(nowMs, nowMs + 1), nowMs),
  };
  const long = encodeTensor(2, 0, [{ index: 0, count: 1, payload: new Uint8Array(20_000) }], 0);
  for (const [name, sign] of Object.entries(signs)) {
    const victim = createOpenVictim();
    victim.open({ mode: "reliable" }, 2);
    const aliveUntilMs = name === "nothing" ? 0 : 15_000;
    // spec 5.7: what has only just begun is not waited for as long.
    const patienceMs = name === "nothing" ? minPeerSilenceMs : peerSilenceMs;
    let nowMs = 0;
    for (; victim.server.state === "open" && nowMs < 5 * peerSilenceMs; nowMs++) {
      if (nowMs <= aliveUntilMs) sign(victim.server, nowMs);
      if (victim.server.nextTimeoutMs() <= nowMs) victim.wait(nowMs);
      while (victim.server.pollDatagram(nowMs));
    }
    t.match(victim.closed, { code: ErrorCode.peerSilent, reason: new RegExp(`${patienceMs} ms`) }, name);
    t.ok(nowMs >= aliveUntilMs + patienceMs && nowMs <= aliveUntilMs + patienceMs + 300, `${name}: ${nowMs}`);
  }
});

t.test("what is held when its stream or the session ends is counted as abandoned", async (t) => {
  for (const end of ["stream", "session", "peer"] as const) {
    const victim = createOpenVictim();
    victim.send({ frame: 0, count: 1 });
    victim.send({ frame: 1 });
    victim.send({ frame: 2 });
    const handedOver = victim.frames().length;
    t.match(victim.server.figures, { framesBegun: 3, framesAbandoned: 0 });
    if (end === "stream") victim.say({ kind: "close", body: { stream: 1 } });
    else if (end === "session") victim.server.close(ErrorCode.none, "");
    else victim.server.handleClosed(ErrorCode.none, "");
    victim.server.handleTimeout(1_000);
    const { framesBegun, framesAbandoned, framesInReassembly } = victim.server.figures;
    t.strictSame([framesBegun, framesInReassembly], [3, 0], end);
    t.equal(handedOver + framesAbandoned, 3, end);
    t.ok(framesAbandoned >= 1, end);
  }
});

for (const maxDatagramBytes of [1_200, 0]) {
  t.test(`pings keep an idle session alive, and half of one is noticed (${maxDatagramBytes})`, async (t) => {
    const session = createVirtualSession({ seed: 1, up: path, down: path, maxDatagramBytes });
    session.runUntil(60_000);
    t.equal(session.client.state, "open");
    t.equal(session.server.state, "open");
    // The client vanishes: nothing of it comes any more.
    session.client.pollControl = () => undefined;
    session.client.pollDatagram = () => undefined;
    session.runUntil(89_500);
    t.match(session.serverEvents.at(-1), { type: "closed", code: ErrorCode.peerSilent });
  });
}

t.test("the end of the control stream ends the session on either side", async (t) => {
  const victim = createOpenVictim();
  victim.send({ frame: 0 });
  victim.server.handleControlEnd();
  t.match(victim.server.pollEvent(), { type: "closed", code: ErrorCode.none });
  t.equal(victim.server.figures.framesInReassembly, 0);

  const session = createVirtualSession({ seed: 2, up: path, down: path });
  const stream = session.client.openStream(streamOptions);
  session.runUntil(300);
  streamFrames(session, stream, { frames: 1, intervalMs: 1, bytes: new Uint8Array(100) });
  session.runUntil(301);
  session.client.handleControlEnd();
  session.pump();
  t.match(session.clientEvents.at(-1), { type: "closed", code: ErrorCode.none });
  t.same(session.client.figures.expiryReasons, { closed: 1 });
});

t.test("a drain finishes what is in flight, takes nothing new and closes with its code", async (t) => {
  for (const mode of ["datagram", "reliable"] as const) {
    const session = createVirtualSession({ seed: 3, up: path, down: path, serviceMs: 700 });
    const { client, server, clock } = session;
    const stream = client.openStream({ ...streamOptions, mode, deadlineMs: 5_000 });
    session.runUntil(300);
    streamFrames(session, stream, { frames: 5, intervalMs: 10, bytes: new Uint8Array(5_120) });
    session.runUntil(350);
    server.drain(ErrorCode.shutdown, "for the night", 3_000, clock.now());
    session.runUntil(400);
    t.match(
      session.clientEvents.find(({ type }) => type === "drain"),
      {
        ...{ code: ErrorCode.shutdown, reason: "for the night", timeoutMs: 3_000 },
      },
    );
    t.equal(client.state, "draining");
    t.same(client.offer(stream, clock.now(), clock.now()), { admitted: false, reason: "not-open" });
    const late = client.openStream(streamOptions);
    session.runUntil(410);
    t.match(session.clientEvents.at(-1), { type: "stream-rejected", stream: late, code: ErrorCode.shutdown });
    session.runUntil(900);
    t.equal(server.state, "open", "work is under way");
    session.runUntil(1_600);
    t.match(session.serverEvents.at(-1), {
      type: "closed",
      code: ErrorCode.shutdown,
      reason: "for the night",
    });
    t.match(client.figures, { delivered: 5, expired: 0 }, mode);
    t.ok(clock.now() < 300 + 3_000, "and it did not wait for its timeout");
  }
});

t.test("a drain that cannot finish ends at its timeout, one of an idle session after a moment", async (t) => {
  const stuck = createOpenVictim();
  stuck.send({ frame: 0, count: 1 });
  t.equal(stuck.frames().length, 1);
  stuck.server.drain(ErrorCode.shutdown, "", 2_000, 0);
  for (let nowMs = 0; nowMs <= 2_000; nowMs += 10) {
    if (nowMs < 2_000) t.equal(stuck.server.state, "open");
    stuck.say({ kind: "pong", body: { id: 0 } }, nowMs);
    stuck.wait(nowMs);
  }
  t.match(stuck.closed, { code: ErrorCode.shutdown });

  const idle = createOpenVictim();
  idle.server.drain(ErrorCode.shutdown, "", 2_000, 0);
  idle.wait(150);
  t.equal(idle.server.state, "open", "frames may be on their way");
  while (idle.server.pollDatagram(150));
  t.ok(idle.server.nextTimeoutMs() <= 200);
  idle.wait(200);
  t.match(idle.closed, { code: ErrorCode.shutdown });

  const unheard = createVictim();
  unheard.server.drain(ErrorCode.shutdown, "", 2_000, 0);
  unheard.wait(0);
  t.match(unheard.closed, { code: ErrorCode.shutdown }, "a client without a hello has nothing in flight");
});

t.test("a drain waits for the acknowledgement of a result that went the reliable way", async (t) => {
  const victim = createVictim();
  victim.say(hello);
  victim.open({ mode: "reliable" });
  const slices = [{ index: 0, count: 1, payload: new Uint8Array(10) }];
  victim.stream(1, encodeTensor(1, 0, slices, 0));
  victim.stream(1, undefined);
  victim.server.answer(victim.frames()[0]!, done, 0);
  victim.server.drain(ErrorCode.shutdown, "", 4_000, 0);
  victim.wait(1_000);
  t.equal(victim.server.state, "open");
  victim.say({ kind: "resultAck", body: { stream: 1, frames: [0] } }, 1_001);
  victim.wait(1_001);
  t.match(victim.closed, { code: ErrorCode.shutdown });
});

t.test("frames are numbered from where an earlier session ended, and never wrap", async (t) => {
  const session = createVirtualSession({ seed: 4, up: path, down: path });
  const { client, clock } = session;
  const resumed = client.openStream({ ...streamOptions, firstFrame: 41 });
  const last = client.openStream({ ...streamOptions, firstFrame: maxFrameNumber });
  session.runUntil(300);
  const offer = (stream: number) => client.offer(stream, clock.now(), clock.now());
  t.equal(client.nextFrame(resumed), 41);
  t.match(offer(resumed), { admitted: true, frame: 41 });
  t.equal(client.nextFrame(resumed), 42);
  t.match(offer(last), { admitted: true, frame: maxFrameNumber });
  t.same(offer(last), { admitted: false, reason: "not-open" });
  t.equal(client.nextFrame(99), undefined);
});

t.test(
  "a jump of frame numbers costs its own stream its old frames, and other streams nothing",
  async (t) => {
    const victim = createOpenVictim();
    victim.open({}, 2);
    for (const stream of [1, 2]) victim.send({ stream, frame: 5, index: 0, count: 2 });
    victim.send({ stream: 1, frame: maxFrameNumber, count: 1 });
    t.match(victim.frames(), [{ stream: 1, frame: maxFrameNumber }]);
    victim.send({ stream: 1, frame: 6, count: 1 });
    victim.send({ stream: 2, frame: 5, index: 1, count: 2 });
    t.match(victim.frames().slice(1), [
      { stream: 1, frame: 6 },
      { stream: 2, frame: 5, unitsReceived: 5_120 },
    ]);
    t.equal(victim.server.state, "open");
    t.ok(victim.server.figures.framesInReassembly <= 1);
  },
);

t.test("messages out of place end the session that they come in, with the code for it", async (t) => {
  const fromServer: readonly OutgoingControl[] = [
    { kind: "hello", body: {} },
    { kind: "open", body: {} },
    { kind: "close", body: {} },
    { kind: "resultAck", body: {} },
  ];
  for (const message of fromServer) {
    const client = createClientSession({ agent: "test" }, 0);
    client.handleControl(encodeDelimitedControl({ kind: "welcome", body: { version: 1 } }), 0);
    client.handleControl(encodeDelimitedControl(message), 0);
    t.equal(client.state, "closed", message.kind);
  }
});
