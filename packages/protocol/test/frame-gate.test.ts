import { frameGate, type GateInput, type GateReason } from "@sluice/protocol";
import t from "tap";

/** 1,000 bytes a millisecond, 20 ms there and back, an idle path. */
const idle: GateInput = {
  ...{ nowMs: 1_000, capturedMs: 1_000, deadlineMs: 100, clientLatencyMs: 5, serverLatencyMs: 10, rttMs: 20 },
  ...{ serverFreeAtMs: 0, unreceivedBytes: 0, bandwidthBitsPerSecond: 8_000_000, expectedBytes: 5_000 },
  ...{ framesInFlight: 0, maxFramesInFlight: 4 },
};

const cases: Record<string, { input: Partial<GateInput>; reason: GateReason | undefined }> = {
  "an idle path": { input: {}, reason: undefined },
  "one frame less than the limit": { input: { framesInFlight: 3 }, reason: undefined },
  "as many frames as the limit": { input: { framesInFlight: 4 }, reason: "in-flight" },
  "no limit on frames": { input: { framesInFlight: 1_000, maxFramesInFlight: 0 }, reason: undefined },
  "the server is free when the client is done": { input: { serverFreeAtMs: 1_005 }, reason: undefined },
  "the server is free a little later": { input: { serverFreeAtMs: 1_005.1 }, reason: "server-limit" },
  // Within a round trip and the delay of reports nothing queues.
  "unreceived bytes of an idle path": { input: { unreceivedBytes: 45_000 }, reason: undefined },
  "a queue that the client's work and the tolerance hide": {
    input: { unreceivedBytes: 65_000 },
    reason: undefined,
  },
  "a longer queue": { input: { unreceivedBytes: 65_001 }, reason: "bandwidth" },
  "a slower client hides more": {
    input: { unreceivedBytes: 70_000, clientLatencyMs: 11 },
    reason: undefined,
  },
  "an unknown bandwidth": {
    input: { unreceivedBytes: 65_536, bandwidthBitsPerSecond: undefined },
    reason: undefined,
  },
  "much on its way over an unknown bandwidth": {
    input: { unreceivedBytes: 65_537, bandwidthBitsPerSecond: undefined },
    reason: "bandwidth",
  },
  // 5 client + 5 transmission + 20 round trip + 10 server = 40 ms.
  "just in time": { input: { deadlineMs: 40 }, reason: undefined },
  "just too late": { input: { deadlineMs: 39.9 }, reason: "deadline" },
  "captured long ago": { input: { capturedMs: 939 }, reason: "deadline" },
  "a frame too large for the deadline": { input: { expectedBytes: 65_001 }, reason: "deadline" },
  "a slow server": { input: { serverLatencyMs: 71 }, reason: "deadline" },
  "a long round trip": { input: { rttMs: 81 }, reason: "deadline" },
  "the client is too slow": { input: { clientLatencyMs: 66 }, reason: "deadline" },
  "no deadline": { input: { deadlineMs: Number.POSITIVE_INFINITY, expectedBytes: 1e9 }, reason: undefined },
  "without a bandwidth the deadline still counts": {
    input: { bandwidthBitsPerSecond: undefined, deadlineMs: 34 },
    reason: "deadline",
  },
};

for (const [name, { input, reason }] of Object.entries(cases)) {
  t.equal(frameGate({ ...idle, ...input }), reason, name);
}

t.test("the first reason that applies is told", async (t) => {
  const all = { ...idle, framesInFlight: 9, serverFreeAtMs: 2_000, unreceivedBytes: 1e6, deadlineMs: 1 };
  t.equal(frameGate(all), "in-flight");
  t.equal(frameGate({ ...all, framesInFlight: 0 }), "server-limit");
  t.equal(frameGate({ ...all, framesInFlight: 0, serverFreeAtMs: 0 }), "bandwidth");
  t.equal(frameGate({ ...all, framesInFlight: 0, serverFreeAtMs: 0, unreceivedBytes: 0 }), "deadline");
});
