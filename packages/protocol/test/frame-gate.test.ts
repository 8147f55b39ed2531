import { frameBudgetBytes, frameGate, type GateInput, type GateReason } from "@sluice/protocol";
import t from "tap";

/** 1,000 bytes a millisecond, 20 ms there and back, an idle path. */
const idle: GateInput = {
  ...{ nowMs: 1_000, capturedMs: 1_000, deadlineMs: 100, clientLatencyMs: 5, serverLatencyMs: 10, rttMs: 20 },
  ...{ serverFreeAtMs: 0, unreceivedBytes: 0, bandwidthBitsPerSecond: 8_000_000, expectedBytes: 5_000 },
  ...{ isPathDark: false, isEstimateStale: false, windowBytes: 80_000, rateWaitMs: 0, queueMs: 0 },
  ...{ framesInFlight: 0, maxFramesInFlight: 4, marginShare: 0.05, openingBytes: 1_000_000 },
};

const cases: Record<string, { input: Partial<GateInput>; reason: GateReason | undefined }> = {
  "an idle path": { input: {}, reason: undefined },
  "one frame less than the limit": { input: { framesInFlight: 3 }, reason: undefined },
  "as many frames as the limit": { input: { framesInFlight: 4 }, reason: "in-flight" },
  "no limit on frames": { input: { framesInFlight: 1_000, maxFramesInFlight: 0 }, reason: undefined },
  "the server is free when the client is done": { input: { serverFreeAtMs: 1_005 }, reason: undefined },
  "the server is free a little later": { input: { serverFreeAtMs: 1_005.1 }, reason: "server-limit" },
  "a path that does not answer": { input: { isPathDark: true }, reason: "bandwidth" },
  "a wait that the client's work and the tolerance hide": { input: { rateWaitMs: 20 }, reason: undefined },
  "a longer wait": { input: { rateWaitMs: 20.1 }, reason: "bandwidth" },
  "a slower client hides more": { input: { rateWaitMs: 25, clientLatencyMs: 10 }, reason: undefined },
  "one frame may wait behind a large one": {
    input: { rateWaitMs: 35, expectedBytes: 30_000 },
    reason: undefined,
  },
  "two may not": { input: { rateWaitMs: 36, expectedBytes: 30_000 }, reason: "bandwidth" },
  // Within a round trip and the delay of reports nothing queues.
  "unreceived bytes of an idle path": {
    input: { unreceivedBytes: 45_000, deadlineMs: 43 },
    reason: undefined,
  },
  // 105,000 bytes unreceived: 60 ms until they are through, and a margin of as much for those that wait.
  "a frame that waits and needs no margin": {
    input: { unreceivedBytes: 105_000, windowBytes: 200_000, deadlineMs: 100 + 10 / 0.95, marginShare: 0 },
    reason: undefined,
  },
  "a frame that waits, on a path where frames were late": {
    input: { unreceivedBytes: 105_000, windowBytes: 200_000, deadlineMs: 100 + 10 / 0.95, marginShare: 0.2 },
    reason: "deadline",
  },
  "a frame with the same path for itself": {
    input: { deadlineMs: 42.2, marginShare: 0.2 },
    reason: undefined,
  },
  "one that fits what a new path has shown": {
    input: { unreceivedBytes: 20_000, expectedBytes: 5_000, openingBytes: 25_000 },
    reason: undefined,
  },
  "one that does not": {
    input: { unreceivedBytes: 20_001, expectedBytes: 5_000, openingBytes: 25_000 },
    reason: "bandwidth",
  },
  "the first on a new path is not asked to fit": {
    input: { expectedBytes: 30_000, openingBytes: 25_000 },
    reason: undefined,
  },
  "unreceived bytes that must be in a queue": {
    input: { unreceivedBytes: 55_000, deadlineMs: 43 },
    reason: "deadline",
  },
  "an unknown bandwidth": {
    input: { unreceivedBytes: 80_000, bandwidthBitsPerSecond: undefined },
    reason: undefined,
  },
  "much on its way over an unknown bandwidth": {
    input: { unreceivedBytes: 80_001, bandwidthBitsPerSecond: undefined },
    reason: "bandwidth",
  },
  "a full window": { input: { unreceivedBytes: 80_001, deadlineMs: 10_000 }, reason: "bandwidth" },
  "what was known long ago turns nothing away": {
    input: { isEstimateStale: true, rateWaitMs: 1_000, deadlineMs: 1 },
    reason: undefined,
  },
  "a path that does not answer is not tried again for that": {
    input: { isEstimateStale: true, isPathDark: true },
    reason: "bandwidth",
  },
  // 5 client + 5 transmission + 20 round trip + 10 server = 40 ms, and a twentieth of the deadline.
  "just in time": { input: { deadlineMs: 42.2 }, reason: undefined },
  "just too late": { input: { deadlineMs: 42 }, reason: "deadline" },
  "captured long ago": { input: { capturedMs: 944 }, reason: "deadline" },
  "a frame too large for the deadline": { input: { expectedBytes: 60_001 }, reason: "deadline" },
  "a slow server": { input: { serverLatencyMs: 66 }, reason: "deadline" },
  "a long round trip": { input: { rttMs: 76 }, reason: "deadline" },
  "a queue on the way": { input: { queueMs: 56 }, reason: "deadline" },
  "the client is too slow": { input: { clientLatencyMs: 61 }, reason: "deadline" },
  "no deadline": { input: { deadlineMs: Number.POSITIVE_INFINITY, expectedBytes: 1e9 }, reason: undefined },
};

for (const [name, { input, reason }] of Object.entries(cases)) {
  t.equal(frameGate({ ...idle, ...input }), reason, name);
}

t.test("the first reason that applies is told", async (t) => {
  const all = { ...idle, framesInFlight: 9, serverFreeAtMs: 2_000, rateWaitMs: 1e6, deadlineMs: 1 };
  t.equal(frameGate(all), "in-flight");
  t.equal(frameGate({ ...all, framesInFlight: 0 }), "server-limit");
  t.equal(frameGate({ ...all, framesInFlight: 0, serverFreeAtMs: 0 }), "bandwidth");
  t.equal(frameGate({ ...all, framesInFlight: 0, serverFreeAtMs: 0, rateWaitMs: 0 }), "deadline");
});

t.test("an encoder may spend what would still be in time", async (t) => {
  // 100 - 5 - 20 - 10 - 5 = 60 ms at 1,000 bytes a millisecond.
  t.equal(frameBudgetBytes(idle), 60_000);
  t.equal(frameBudgetBytes({ ...idle, queueMs: 10 }), 50_000);
  t.equal(frameBudgetBytes({ ...idle, capturedMs: 900 }), 0);
  t.equal(frameBudgetBytes({ ...idle, bandwidthBitsPerSecond: undefined }), Number.POSITIVE_INFINITY);
  const expectedBytes = frameBudgetBytes(idle);
  t.equal(frameGate({ ...idle, expectedBytes }), undefined, "and the gate takes a frame of that size");
  t.equal(frameGate({ ...idle, expectedBytes: expectedBytes + 1 }), "deadline");
});
