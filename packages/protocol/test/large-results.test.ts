/** Results on QUIC streams of their own, on seeded links and virtual time (spec 7.4). */
import { ErrorCode, type TensorStreamOptions } from "@sluice/protocol";
import t from "tap";
import { maxResultStreams } from "#src/limits.js";
import {
  createVirtualSession,
  streamFrames,
  streamOptions,
  type VirtualSessionOptions,
} from "./virtual-session.js";

const mib = 1 << 20;

function start(
  options: Omit<VirtualSessionOptions, "seed"> & { readonly seed?: number },
  asked: Partial<TensorStreamOptions> = {},
) {
  const path = { delayMs: 20 };
  const session = createVirtualSession({ seed: 1, up: path, down: path, ...options });
  session.runUntil(50);
  const stream = session.client.openStream({ ...streamOptions, maxResultBytes: 8 * mib, ...asked });
  session.runUntil(100);
  return { ...session, session, stream };
}

type Started = ReturnType<typeof start>;

function stream(started: Started, frames: number, intervalMs = 33): void {
  streamFrames(started.session, started.stream, { frames, intervalMs, bytes: new Uint8Array(5_120) });
}

function ended(started: Started) {
  const { client, server, results } = started;
  const { offered, dropped, expired, delivered, onTime, inFlight, expiryReasons } = client.figures;
  return {
    ...{ offered, dropped, expired, delivered, onTime, inFlight, expiryReasons },
    ...{ uploads: server.figures.resultUploads, open: results.open },
  };
}

for (const loss of [0, 0.05]) {
  t.test(`with ${loss * 100} % lost each way every result comes whole, and nothing stays open`, async (t) => {
    const path = { delayMs: 20, loss };
    const answerBytes = 300_000;
    const started = start(
      { up: path, down: path, answerBytes, resultStreams: { bitsPerSecond: 200e6, loss } },
      { deadlineMs: 500 },
    );
    stream(started, 100);
    started.runUntil(6_000);
    const { offered, dropped, delivered, inFlight, expired, uploads, open } = ended(started);
    t.same([offered, inFlight, dropped + delivered + expired], [100, 0, 100]);
    t.ok(delivered >= (loss === 0 ? 100 : 90), `${delivered} delivered`);
    t.match(uploads, { started: delivered, expired: 0, stopped: 0, refused: 0 });
    t.equal(open, 0);
    for (const event of started.clientEvents)
      if (event.type === "delivered") t.equal(event.result.payload.length, answerBytes);
  });
}

t.test("what comes too late is reset, its frame is told of, and what follows is not held up", async (t) => {
  // 600 kB take 240 ms of 20 Mbit/s: no result can be in time, and none may be in the way of the next.
  const started = start({ answerBytes: 600_000, resultStreams: { bitsPerSecond: 20e6 } });
  stream(started, 10, 300);
  started.runUntil(6_000);
  const { offered, dropped, delivered, expired, expiryReasons, uploads, open, inFlight } = ended(started);
  t.same([offered, delivered, inFlight, open], [10, 0, 0, 0]);
  t.equal(expired + dropped, 10);
  t.same(expiryReasons, { "server-expired": expired });
  t.equal(uploads.expired, uploads.started);
  t.ok(started.results.resets.length > 0);
  t.ok(started.results.resets.every((code) => code === ErrorCode.deadline));
  for (const event of started.clientEvents)
    if (event.type === "expired") t.equal(event.result?.code, ErrorCode.expiredInSending);
  // A frame is known to have no result soon after its deadline, not when it is given up.
  t.equal(started.client.state, "open");
});

t.test("in the mode reliable nothing is reset", async (t) => {
  const started = start(
    { answerBytes: 600_000, resultStreams: { bitsPerSecond: 20e6 } },
    { mode: "reliable", deadlineMs: 100 },
  );
  stream(started, 3, 300);
  started.runUntil(6_000);
  t.match(ended(started), { offered: 3, delivered: 3, onTime: 0, open: 0 });
  t.same(started.results.resets, []);
});

t.test("a session that dies half-way leaves nothing behind", async (t) => {
  const started = start({ answerBytes: 600_000, resultStreams: { bitsPerSecond: 20e6, deadFromMs: 300 } });
  stream(started, 2, 33);
  started.runUntil(300);
  started.server.handleClosed(0, "the transport broke");
  started.client.handleClosed(0, "the transport broke");
  started.runUntil(2_000);
  t.equal(started.server.nextTimeoutMs(), Number.POSITIVE_INFINITY);
  t.equal(started.server.pollResult(), undefined);
  const { offered, dropped, expired, inFlight } = ended(started);
  t.same([offered, inFlight, dropped + expired], [2, 0, 2]);
});

t.test("a result that is not waited for any more is stopped by the client", async (t) => {
  const started = start({ answerBytes: 600_000, resultStreams: { bitsPerSecond: 80e6 } });
  stream(started, 1);
  started.runUntil(110);
  started.client.abandon(started.stream, 0);
  started.runUntil(1_000);
  t.same(started.results.stops, [ErrorCode.deadline]);
  t.match(ended(started), {
    uploads: { started: 1, stopped: 1, expired: 0 },
    expiryReasons: { abandoned: 1 },
  });
  t.equal(started.client.state, "open");
});

t.test("what a client leaves unread is bounded: further frames are told that there is no room", async (t) => {
  const started = start(
    { answerBytes: 20_000, limits: { maxFramesInFlight: 0 }, resultStreams: { deadFromMs: 0 } },
    { mode: "reliable" },
  );
  stream(started, maxResultStreams + 5, 10);
  started.runUntil(3_000);
  t.match(ended(started), {
    uploads: { started: maxResultStreams, refused: 5 },
    expiryReasons: { "server-expired": 5 },
  });
  for (const event of started.clientEvents)
    if (event.type === "expired") t.equal(event.result?.code, ErrorCode.overloaded);
});

t.test("their bytes are bounded too", async (t) => {
  const started = start(
    { answerBytes: 50 * mib, resultStreams: { deadFromMs: 0 } },
    { mode: "reliable", maxResultBytes: 64 * mib },
  );
  stream(started, 3, 50);
  started.runUntil(1_000);
  t.match(ended(started), { uploads: { started: 2, refused: 1 } });
});

for (const [answerBytes, maxResultBytes, uploads, code] of [
  [16_384, 8 * mib, 0, undefined],
  [16_385, 8 * mib, 1, undefined],
  [65_000, 0, 0, undefined],
  [65_000, 20_000, 0, undefined],
  [65_001, 0, 0, ErrorCode.limitExceeded],
  [100_001, 100_000, 0, ErrorCode.limitExceeded],
  [100_000, 100_000, 1, undefined],
] as const) {
  const what =
    code === undefined ? (uploads > 0 ? "has a stream of its own" : "is a message") : "fails its frame";
  t.test(`${answerBytes} bytes, where the client takes ${maxResultBytes} on a stream: ${what}`, async (t) => {
    const started = start({ answerBytes }, { maxResultBytes, deadlineMs: 500 });
    stream(started, 1);
    started.runUntil(1_000);
    const { delivered, uploads: counts } = ended(started);
    t.same([delivered, counts.started], [code === undefined ? 1 : 0, uploads]);
    const end = started.clientEvents.find(({ type }) => type === "delivered" || type === "expired");
    if (code === undefined) t.match(end, { type: "delivered", result: { payload: { length: answerBytes } } });
    else t.match(end, { type: "expired", reason: "failed", result: { code } });
  });
}

t.test("a drain waits until the client has the results that are on their way", async (t) => {
  const started = start(
    { answerBytes: 600_000, resultStreams: { bitsPerSecond: 20e6 } },
    { deadlineMs: 2_000 },
  );
  stream(started, 1);
  started.runUntil(200);
  started.server.drain(ErrorCode.shutdown, "bye", 0, 200);
  started.runUntil(3_000);
  const delivered = started.clientEvents.findIndex(({ type }) => type === "delivered");
  t.ok(delivered >= 0);
  t.equal(started.server.state, "closed");
});

t.test("the gate counts on the time that results take to come", async (t) => {
  // 150 kB take 60 ms of 20 Mbit/s: with 20 ms each way and 1 ms of work a deadline of 100 ms cannot be kept.
  const started = start(
    { answerBytes: 150_000, resultStreams: { bitsPerSecond: 20e6 } },
    { deadlineMs: 100 },
  );
  stream(started, 30, 200);
  started.runUntil(8_000);
  const { delivered, dropped } = ended(started);
  t.ok(dropped > 10, `${dropped} of 30 dropped`);
  t.ok(delivered + dropped <= 30);
});
