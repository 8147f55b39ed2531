import { ErrorCode, type LedgerCounts, type OutgoingFrame } from "@sluice/protocol";
import t, { type Test } from "tap";
import { createVirtualSession, sliceBytes, streamFrames, streamOptions } from "./virtual-session.js";

function assertAccounted(test: Test, counts: LedgerCounts, offered: number): void {
  test.equal(counts.offered, offered);
  test.equal(
    counts.offered,
    counts.dropped + counts.expired + counts.delivered,
    "every frame is accounted for",
  );
}

const path = { delayMs: 20, rateBitsPerSecond: 20_000_000, queueMs: 100 };

t.test("frames of two datagrams tell who chooses among streams that the path is a narrow one", async (t) => {
  const session = createVirtualSession({ seed: 1, up: path, down: path, units: 2_048 });
  const spec = { dtype: "uint8", shape: [2_048], layout: "any" } as const;
  const stream = session.client.openStream({ ...streamOptions, spec });
  session.runUntil(200);
  const frames = { frames: 30, intervalMs: 100, bytes: new Uint8Array(2_048) };
  streamFrames(session, stream, frames);
  session.runUntil(3_300);
  const known = () => session.client.pathEstimate(session.clock.now()).bandwidthBitsPerSecond;
  t.equal(known(), undefined, "of a wide one they tell nothing");
  for (const link of [session.upLink, session.downLink]) link.set({ rateBitsPerSecond: 300_000 }, 3_300);
  streamFrames(session, stream, frames);
  session.runUntil(5_000);
  t.ok(Math.abs((known() ?? 0) / 300_000 - 1) < 0.15, `${known()} bit/s`);
  t.equal(
    session.client.figures.bandwidthBitsPerSecond,
    undefined,
    "and the gate lets them through as before",
  );
});

t.test(
  "the round trip that a client tells is the path's, soon after a start that held its first pings up",
  async (t) => {
    const slow = { delayMs: 200 };
    const session = createVirtualSession({ seed: 1, up: slow, down: slow });
    const stream = session.client.openStream(streamOptions);
    session.runUntil(700);
    for (const link of [session.upLink, session.downLink]) link.set({ delayMs: 10 }, session.clock.now());
    streamFrames(session, stream, { frames: 60, intervalMs: 33, bytes: new Uint8Array(5_120) });
    session.runUntil(2_700);
    const told = [session.client.figures.rttMs ?? 0, session.client.pathEstimate(2_700).rttMs ?? 0];
    for (const rttMs of told) t.ok(rttMs >= 20 && rttMs < 30, `${rttMs} ms`);
  },
);

t.test("a stream over a clean path delivers every frame in time", async (t) => {
  const session = createVirtualSession({ seed: 1, up: path, down: path });
  const stream = session.client.openStream(streamOptions);
  session.runUntil(200);
  t.match(session.clientEvents, [{ type: "open" }, { type: "stream-accepted", stream }]);
  streamFrames(session, stream, { frames: 300, intervalMs: 33, bytes: new Uint8Array(5_120).fill(7) });
  session.runUntil(11_000);
  const { figures } = session.client;
  assertAccounted(t, figures, 300);
  t.equal(figures.onTime, 300);
  t.ok(Math.abs((figures.rttMs ?? 0) - 40) < 3, `rtt ${figures.rttMs}`);
  const frames = session.serverEvents.filter((event) => event.type === "frame");
  t.equal(frames.length, 300);
  t.ok(frames.every(({ frame }) => frame.unitsReceived === 5_120 && frame.slices.length === 5));
  t.equal(figures.unreceivedBytes, 0);
});

t.test(
  "between processes of one machine, by datagrams of 16 kB, the rate of the path is found",
  async (t) => {
    const rateBitsPerSecond = 500_000_000;
    const fast = { delayMs: 0.1, rateBitsPerSecond, queueMs: 100 };
    const session = createVirtualSession({
      seed: 1,
      up: fast,
      down: fast,
      maxDatagramBytes: 15_800,
      units: 100_352,
    });
    const stream = session.client.openStream({
      ...streamOptions,
      spec: { dtype: "uint8", shape: [100_352], layout: "any" },
    });
    session.runUntil(200);
    const bytes = new Uint8Array(100_352).fill(7);
    streamFrames(session, stream, { frames: 60, intervalMs: 33, bytes });
    session.runUntil(3_000);
    assertAccounted(t, session.client.figures, 60);
    t.equal(session.client.figures.onTime, 60);
    const { bandwidthBitsPerSecond = 0 } = session.client.figures;
    t.ok(bandwidthBitsPerSecond > 0.5 * rateBitsPerSecond, `${bandwidthBitsPerSecond} bit/s`);
    const latencies = session.clientEvents.flatMap((event) =>
      event.type === "delivered" ? event.latencyMs : [],
    );
    const latest = latencies.slice(-20).sort((a, b) => a - b)[10]!;
    // The bytes take 1.6 ms, the server 1 ms; at the rate of a path that is not known they would take 40 ms.
    t.ok(latest < 10, `${latest} ms`);
  },
);

for (const loss of [0.03, 0.1]) {
  for (const burst of [1, 4]) {
    t.test(
      `${loss * 100} % loss each way in bursts of ${burst}: frames are concealed, not lost`,
      async (t) => {
        const seed = 11;
        const lossy = { ...path, loss, burst };
        const session = createVirtualSession({ seed, up: lossy, down: lossy });
        const stream = session.client.openStream(streamOptions);
        session.runUntil(300);
        streamFrames(session, stream, { frames: 900, intervalMs: 33, bytes: new Uint8Array(5_120).fill(7) });
        session.runUntil(32_000);
        const { figures } = session.client;
        assertAccounted(t, figures, 900);
        t.comment(`seed ${seed}: ${JSON.stringify(figures)}`);
        t.ok(figures.onTime >= (loss < 0.05 ? 0.975 : 0.92) * 900, `on time ${figures.onTime}`);
        t.ok(figures.datagramsLost > 0);
        t.equal(figures.unreceivedBytes, 0, "losses do not stay in the estimate");
        const concealed = session.clientEvents.filter(
          (event) => event.type === "delivered" && event.result.concealedElements > 0,
        );
        t.ok(concealed.length > 0);
      },
    );
  }
}

t.test(
  "20 % loss each way: what a client acknowledges now and then is still repeated until it does",
  async (t) => {
    let onTime = 0;
    for (const seed of [1, 2, 3]) {
      const lossy = { ...path, loss: 0.2 };
      const session = createVirtualSession({ seed, up: lossy, down: lossy });
      const spec = { ...streamOptions.spec, shape: [1_000] };
      const stream = session.client.openStream({ ...streamOptions, spec });
      session.runUntil(300);
      streamFrames(session, stream, { frames: 450, intervalMs: 33, bytes: new Uint8Array(1_000) });
      session.runUntil(17_000);
      assertAccounted(t, session.client.figures, 450);
      onTime += session.client.figures.onTime;
    }
    t.ok(onTime >= 0.985 * 3 * 450, `on time ${onTime}`);
  },
);

t.test("results that nobody could hear for seconds do not cost those that come after", async (t) => {
  const session = createVirtualSession({ seed: 5, up: path, down: path });
  const spec = { ...streamOptions.spec, shape: [1_000] };
  const stream = session.client.openStream({ ...streamOptions, spec });
  session.runUntil(1_000);
  session.downLink.set({ loss: 1 }, session.clock.now());
  // The client would offer nothing in the dark.
  const frames = 60;
  streamFrames(session, stream, { frames, intervalMs: 33, bytes: new Uint8Array(1_000) });
  session.runUntil(3_500);
  const inTheDark = session.server.figures.resultsRepeated;
  t.ok(inTheDark > 100, `${inTheDark} repeats before it was clear that nothing is heard`);
  session.downLink.set({ loss: 0.2 }, session.clock.now());
  session.upLink.set({ loss: 0.2 }, session.clock.now());
  const before = session.client.figures.onTime;
  streamFrames(session, stream, { frames: 300, intervalMs: 33, bytes: new Uint8Array(1_000) });
  session.runUntil(15_000);
  const onTime = session.client.figures.onTime - before;
  t.ok(onTime >= 0.96 * 300, `on time ${onTime} of 300`);
});

t.test("more than the link carries is dropped at the gate, and what is admitted arrives", async (t) => {
  const session = createVirtualSession({ seed: 3, up: path, down: path });
  const options = { ...streamOptions, spec: { ...streamOptions.spec, shape: [100_352] } };
  const stream = session.client.openStream(options);
  session.runUntil(300);
  streamFrames(session, stream, { frames: 600, intervalMs: 33, bytes: new Uint8Array(100_352).fill(7) });
  session.runUntil(21_000);
  const { figures } = session.client;
  t.comment(JSON.stringify(figures));
  assertAccounted(t, figures, 600);
  t.ok(figures.dropped > 50, "the gate works");
  t.ok(figures.onTime >= 0.9 * figures.admitted, `on time ${figures.onTime} of ${figures.admitted}`);
  const goodput = (figures.bytesDelivered * 8_000) / 20_000;
  t.ok(goodput > 0.6 * 20_000_000, `goodput ${goodput}`);
});

t.test("a path that goes dark for two seconds expires frames, loses no count and recovers", async (t) => {
  const session = createVirtualSession({ seed: 4, up: path, down: path });
  const stream = session.client.openStream(streamOptions);
  session.runUntil(300);
  streamFrames(session, stream, { frames: 300, intervalMs: 33, bytes: new Uint8Array(5_120) });
  session.runUntil(3_000);
  session.upLink.set({ loss: 1 }, session.clock.now());
  session.runUntil(5_000);
  session.upLink.set({ loss: 0 }, session.clock.now());
  session.runUntil(12_000);
  const { figures } = session.client;
  assertAccounted(t, figures, 300);
  t.ok(figures.expired + figures.dropped >= 55, "what went into the dark is gone");
  t.ok(figures.delivered >= 235, `delivered ${figures.delivered}`);
  t.equal(figures.unreceivedBytes, 0);
});

t.test("datagrams that shrink between frames or inside one lose nothing", async (t) => {
  const session = createVirtualSession({ seed: 4, up: path, down: path });
  const { client, clock } = session;
  const stream = client.openStream(streamOptions);
  session.runUntil(300);
  streamFrames(session, stream, { frames: 60, intervalMs: 33, bytes: new Uint8Array(5_120) });
  session.runUntil(1_300);
  client.setMaxDatagramBytes(300);
  session.runUntil(2_600);
  t.equal(client.figures.onTime, 60);

  const bytes = new Uint8Array(5_120);
  const submit = (split: OutgoingFrame["split"]) => {
    client.setMaxDatagramBytes(1_200);
    const decision = client.offer(stream, clock.now(), clock.now());
    if (!decision.admitted) throw new Error(decision.reason);
    client.submit(
      stream,
      decision.frame,
      sliceBytes(bytes, client.maxPayloadBytes(stream)),
      split,
      clock.now(),
    );
    client.setMaxDatagramBytes(300);
    client.handleTimeout(clock.now());
    session.runUntil(clock.now() + 400);
  };
  submit(({ index, count, payload }, maxPayloadBytes) =>
    sliceBytes(payload, maxPayloadBytes).map((part) => ({
      ...{ index: index * part.count + part.index, count: count * part.count, payload: part.payload },
    })),
  );
  const last = session.serverEvents.findLast((event) => event.type === "frame");
  t.equal(last?.frame.unitsReceived, 5_120);
  t.ok(last!.frame.slices.length >= 20);
  t.equal(client.figures.onTime, 61);
  submit(undefined);
  t.same(client.figures.expiryReasons, { "send-buffer": 1 }, "reported, not dropped silently");
});

t.test(
  "the server's frame rate is honoured by the gate and enforced on a client that ignores it",
  async (t) => {
    const limits = { framesPerSecond: 10 };
    const polite = createVirtualSession({ seed: 5, up: path, down: path, limits });
    const stream = polite.client.openStream(streamOptions);
    polite.runUntil(300);
    streamFrames(polite, stream, { frames: 300, intervalMs: 33, bytes: new Uint8Array(5_120) });
    polite.runUntil(11_000);
    const { figures } = polite.client;
    assertAccounted(t, figures, 300);
    // Ten a second allow every fourth frame of thirty a second.
    t.equal(figures.delivered, 75);
    t.equal(figures.dropReasons["server-limit"], figures.dropped);

    const rude = createVirtualSession({ seed: 5, up: path, down: path });
    const rudeStream = rude.client.openStream(streamOptions);
    rude.runUntil(300);
    // Set on the server alone: the announcement is on its way while the frames come.
    rude.server.setLimits({ ...rude.client.limits!, framesPerSecond: 1 });
    streamFrames(rude, rudeStream, { frames: 10, intervalMs: 2, bytes: new Uint8Array(100) });
    rude.runUntil(2_000);
    t.equal(rude.serverEvents.filter((event) => event.type === "shed").length, 7);
    t.equal(rude.client.figures.expiryReasons["server-expired"], 7);
  },
);

t.test("streams and reliable mode carry a tensor whole", async (t) => {
  for (const mode of ["stream", "reliable"] as const) {
    const session = createVirtualSession({ seed: 6, up: path, down: path, maxDatagramBytes: 0 });
    const stream = session.client.openStream({ ...streamOptions, mode });
    session.runUntil(300);
    const { clock, client } = session;
    const decision = client.offer(stream, clock.now(), clock.now());
    t.equal(decision.admitted, true);
    if (!decision.admitted) return;
    client.submit(
      stream,
      decision.frame,
      [{ index: 0, count: 1, payload: new Uint8Array(5_120) }],
      undefined,
      clock.now(),
    );
    session.runUntil(1_000);
    t.match(session.clientEvents.at(-1), { type: "delivered", onTime: true });
  }
});

t.test("a tensor stream is rejected with its own code and the session goes on", async (t) => {
  const session = createVirtualSession({ seed: 7, limits: { maxTensorElements: 100 } });
  const stream = session.client.openStream(streamOptions);
  session.runUntil(100);
  t.match(session.clientEvents.at(-1), { type: "stream-rejected", stream, code: ErrorCode.tensorTooLarge });
  const small = session.client.openStream({
    ...streamOptions,
    spec: { ...streamOptions.spec, shape: [100] },
  });
  session.runUntil(200);
  t.match(session.clientEvents.at(-1), { type: "stream-accepted", stream: small });
});

t.test("a token that is not accepted closes the session with its code", async (t) => {
  const session = createVirtualSession({ seed: 8, authorize: () => false });
  session.runUntil(100);
  t.match(session.serverEvents, [{ type: "closed", code: ErrorCode.unauthorized }]);
});

t.test("both sides give up a handshake that never ends", async (t) => {
  const session = createVirtualSession({ seed: 9 });
  session.client.pollControl();
  session.runUntil(6_000);
  t.match(session.clientEvents, [{ type: "closed", code: ErrorCode.handshakeTimeout }]);
  t.match(session.serverEvents, [{ type: "closed", code: ErrorCode.handshakeTimeout }]);
});

t.test("the end of the session expires what is open", async (t) => {
  const session = createVirtualSession({ seed: 10, up: path, down: path });
  const stream = session.client.openStream(streamOptions);
  session.runUntil(300);
  streamFrames(session, stream, { frames: 3, intervalMs: 1, bytes: new Uint8Array(5_120) });
  session.runUntil(310);
  session.client.handleClosed(0, "gone");
  session.pump();
  assertAccounted(t, session.client.figures, 3);
  t.equal(session.client.figures.expiryReasons.closed, 3);
  t.match(session.clientEvents.at(-1), { type: "closed" });
});

t.test("a close that crosses the answer on the way is no offence", async (t) => {
  for (const limits of [{}, { maxTensorElements: 100 }]) {
    const session = createVirtualSession({ seed: 12, up: path, down: path, limits });
    session.runUntil(200);
    const stream = session.client.openStream(streamOptions);
    session.pump();
    session.client.closeStream(stream);
    session.runUntil(400);
    t.equal(session.client.state, "open");
    t.equal(session.server.state, "open");
  }
});

t.test("a result too large for any message fails its frame and nothing else", async (t) => {
  const session = createVirtualSession({ seed: 13, up: path, down: path, answerBytes: 70_000 });
  const stream = session.client.openStream({ ...streamOptions, mode: "reliable" });
  session.runUntil(300);
  streamFrames(session, stream, { frames: 3, intervalMs: 10, bytes: new Uint8Array(5_120) });
  session.runUntil(1_000);
  assertAccounted(t, session.client.figures, 3);
  t.equal(session.client.figures.expiryReasons.failed, 3);
  t.equal(session.server.figures.framesInFlight, 0);
});

t.test("a client that does not read its results loses its session, not our memory", async (t) => {
  const session = createVirtualSession({ seed: 14, answerBytes: 60_000 });
  const stream = session.client.openStream({ ...streamOptions, mode: "reliable" });
  session.runUntil(100);
  session.server.pollControl = () => undefined;
  streamFrames(session, stream, { frames: 40, intervalMs: 10, bytes: new Uint8Array(5_120) });
  session.runUntil(1_000);
  t.match(session.serverEvents.at(-1), { type: "closed", code: ErrorCode.overloaded });
});

t.test("a server that falls silent is given up after a while, not after a short blackout", async (t) => {
  const session = createVirtualSession({ seed: 15, up: path, down: path });
  session.runUntil(1_000);
  session.downLink.set({ loss: 1 }, session.clock.now());
  session.runUntil(27_500);
  t.equal(session.client.state, "open");
  session.downLink.set({ loss: 0 }, session.clock.now());
  session.runUntil(30_000);
  session.downLink.set({ loss: 1 }, session.clock.now());
  session.runUntil(59_000);
  t.match(session.clientEvents.at(-1), { type: "closed", code: ErrorCode.peerSilent });
});
