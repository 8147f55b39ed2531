/** What the server announces: kept by the client, enforced by the server, changed while a session goes on (spec 4.4). */
import { defaultLimits, ErrorCode, type SessionLimits } from "@sluice/protocol";
import t from "tap";
import { createOpenVictim, done } from "./victim.js";
import { createVirtualSession, streamFrames, streamOptions } from "./virtual-session.js";

const path = { delayMs: 20, rateBitsPerSecond: 20_000_000, queueMs: 100 };
const bytes = new Uint8Array(5_120);

function openSession(limits: Partial<SessionLimits>) {
  const session = createVirtualSession({ seed: 5, up: path, down: path, limits });
  const stream = session.client.openStream(streamOptions);
  session.runUntil(300);
  return { session, stream, figures: () => session.client.figures };
}

t.test("bytes per second: the gate keeps to them", async (t) => {
  const { session, stream, figures } = openSession({ maxBytesPerSecond: 51_200 });
  streamFrames(session, stream, { frames: 300, intervalMs: 33, bytes });
  session.runUntil(11_000);
  const { offered, dropped, delivered, expired, dropReasons } = figures();
  t.equal(offered, 300);
  t.equal(expired, 0);
  // Ten frames' bytes a second: every fourth of thirty frames a second, but for what the gate allows for its own work.
  t.ok(delivered >= 75 && delivered <= 100, `${delivered}`);
  t.same(dropReasons, { "server-limit": dropped });
});

t.test("limits that change are kept at once, up and down", async (t) => {
  const { session, stream, figures } = openSession({ framesPerSecond: 0.5 });
  streamFrames(session, stream, { frames: 30, intervalMs: 33, bytes });
  session.runUntil(1_300);
  t.equal(figures().delivered, 1);
  session.server.setLimits({ ...defaultLimits, framesPerSecond: 0, maxBytesPerSecond: 0 });
  session.runUntil(1_400);
  t.match(session.client.limits, { framesPerSecond: 0 });
  streamFrames(session, stream, { frames: 30, intervalMs: 33, bytes });
  session.runUntil(3_000);
  t.equal(figures().delivered, 31, "nothing is left of the old rate");
  session.server.setLimits({ ...defaultLimits, maxBytesPerSecond: 5_120 });
  session.runUntil(3_100);
  streamFrames(session, stream, { frames: 60, intervalMs: 33, bytes });
  session.runUntil(6_000);
  t.ok(figures().delivered >= 32 && figures().delivered <= 35, `${figures().delivered}`);
  t.equal(figures().expired, 0);
});

t.test("bytes in excess are shed by the server, after a second's worth, and not worked on", async (t) => {
  const victim = createOpenVictim({ maxBytesPerSecond: 10_000, maxFramesInFlight: 0 });
  for (let frame = 0; frame < 30; frame++) victim.send({ frame, count: 1 }, new Uint8Array(1_000));
  // What was sent in the first moment: a second's bytes, and the frame that used them up.
  t.equal(victim.frames().length, 11);
  const shed = victim.events.filter(({ type }) => type === "shed");
  t.match(shed, new Array(19).fill({ code: ErrorCode.rateLimited }));
  for (const frame of victim.frames()) victim.server.answer(frame, done, 0);
  victim.send({ frame: 30, count: 1 }, new Uint8Array(1_000), 99);
  t.equal(victim.frames().length, 11);
  victim.send({ frame: 31, count: 1 }, new Uint8Array(1_000), 101);
  t.equal(victim.frames().length, 12, "time pays it off");
  victim.server.setLimits({ ...defaultLimits, maxBytesPerSecond: 0 });
  for (let frame = 32; frame < 42; frame++) victim.send({ frame, count: 1 }, new Uint8Array(1_000), 102);
  t.equal(victim.frames().length, 22);
});

t.test(
  "a stream that the server would refuse is refused here, with the same code and what to do",
  async (t) => {
    const { session } = openSession({ maxStreams: 2, maxTensorElements: 5_120 });
    const { client } = session;
    const says = (spec: (typeof streamOptions)["spec"]) => {
      const alias = client.openStream({ ...streamOptions, spec });
      for (let event = client.pollEvent(); event; event = client.pollEvent())
        if (event.type === "stream-rejected" && event.stream === alias) return event;
      return undefined;
    };
    t.match(says({ ...streamOptions.spec, shape: [5_121] }), {
      ...{ code: ErrorCode.tensorTooLarge, reason: /5121 elements.*5120/ },
    });
    t.equal(client.pollControl(), undefined, "and nothing is sent");
    t.equal(says(streamOptions.spec), undefined);
    session.runUntil(600);
    t.match(says(streamOptions.spec), { code: ErrorCode.limitExceeded, reason: /2 tensor streams are open/ });
    client.closeStream(1);
    t.equal(says(streamOptions.spec), undefined);
    session.runUntil(900);
    t.equal(session.server.state, "open");
    t.equal(session.serverEvents.filter(({ type }) => type === "stream-requested").length, 3);
  },
);

for (const mode of ["datagram", "stream"] as const) {
  t.test(`${mode}: a frame of more bytes than are allowed ends alone, not with its session`, async (t) => {
    const session = createVirtualSession({
      seed: 6,
      up: path,
      down: path,
      limits: { maxTensorBytes: 4_000 },
    });
    const { client, server } = session;
    const before = client.openStream({ ...streamOptions, mode });
    session.runUntil(300);
    streamFrames(session, before, { frames: 1, intervalMs: 10, bytes });
    streamFrames(session, before, { frames: 1, intervalMs: 10, bytes: bytes.subarray(0, 4_000) });
    session.runUntil(600);
    t.same(client.figures.expiryReasons, { "too-large": 1 });
    t.equal(client.figures.delivered, 1);
    // New sizes hold for streams that are accepted from then on; the old ones keep theirs, on both sides.
    server.setLimits({ ...defaultLimits, maxTensorBytes: 2_000 });
    session.runUntil(700);
    const after = client.openStream({ ...streamOptions, mode });
    session.runUntil(900);
    for (const stream of [before, after])
      streamFrames(session, stream, { frames: 1, intervalMs: 10, bytes: bytes.subarray(0, 4_000) });
    session.runUntil(1_300);
    t.same(client.figures.expiryReasons, { "too-large": 2 });
    t.equal(client.figures.delivered, 2);
    t.equal(server.state, "open");
  });
}
