/**
 * Decides about a frame before any work is done on it (spec 3.3): Ulhaq & Bajić, "Shared mobile-cloud inference for
 * collaborative intelligence", `should_process_frame`, with the deadline of the result that it lacks.
 */

/** What the sender knows at the moment of the decision. Times in milliseconds, durations from now on. */
export interface GateInput {
  readonly nowMs: number;
  readonly capturedMs: number;
  readonly deadlineMs: number;
  /** How much later than reckoned a frame may leave that waits behind others, as a share of the deadline. */
  readonly marginShare: number;
  /** Expected time of the client's half and the encoder. */
  readonly clientLatencyMs: number;
  /** Expected time from the arrival of the last slice to the departure of the result. */
  readonly serverLatencyMs: number;
  readonly rttMs: number;
  /** When the server's rate limit allows the next frame. */
  readonly serverFreeAtMs: number;
  /** Nothing that was sent lately has been answered. */
  readonly isPathDark: boolean;
  /** The bandwidth was not measured for so long that it may be another one. */
  readonly isEstimateStale: boolean;
  /** Sent or waiting to be sent, and not known to have arrived. */
  readonly unreceivedBytes: number;
  /** So many of them are too many. */
  readonly windowBytes: number;
  /** So many may be on their way, this frame included, while the path is new. */
  readonly openingBytes: number;
  /** What the bottleneck carries; `undefined`: not known yet. */
  readonly bandwidthBitsPerSecond: number | undefined;
  /** How long until the frames before this one are made up for at the rate that this session may take. */
  readonly rateWaitMs: number;
  /** The queue that datagrams meet on their way, whoever has filled it. */
  readonly queueMs: number;
  /** Bytes that this frame is expected to take. */
  readonly expectedBytes: number;
  readonly framesInFlight: number;
  readonly maxFramesInFlight: number;
}

/** Why a frame was turned away. */
export type GateReason = "in-flight" | "server-limit" | "bandwidth" | "deadline";

/**
 * A report about a datagram comes back one round trip after it left, and reports are gathered for a while: that
 * much is unreceived on an idle path too and forms no queue.
 */
const reportDelayMs = 25;
/** A queue that the client's own work hides costs nothing; so much more is tolerated, against jitter. */
const toleratedQueueMs = 15;
/** What estimates may be wrong by where nothing is in front, as a share of the deadline. */
const minMarginShare = 0.05;

/** `undefined`: process the frame. */
export function frameGate(input: GateInput): GateReason | undefined {
  const { nowMs, clientLatencyMs } = input;
  if (input.maxFramesInFlight > 0 && input.framesInFlight >= input.maxFramesInFlight) return "in-flight";
  // server_remain: the server would not take the frame at the moment when the client's half is done.
  if (input.serverFreeAtMs > nowMs + clientLatencyMs) return "server-limit";
  if (input.isPathDark) return "bandwidth";
  if (input.unreceivedBytes > input.windowBytes) return "bandwidth";
  // Behind others on a new path a frame would wait for the transport's window to open, at a rate that nobody knows.
  const isBehind = input.unreceivedBytes > 0;
  if (isBehind && input.unreceivedBytes + input.expectedBytes > input.openingBytes) return "bandwidth";
  // What is known of the path is too old to turn frames away for: one goes out to learn anew.
  if (input.bandwidthBitsPerSecond === undefined || input.isEstimateStale) return undefined;
  // bandwidth_remain: one frame may wait behind the one that is being sent, or the path would idle between them.
  const frameMs = transmitMs(input.expectedBytes, input);
  if (input.rateWaitMs > clientLatencyMs + Math.max(toleratedQueueMs, frameMs)) return "bandwidth";
  return inTimeMs(input) < frameMs ? "deadline" : undefined;
}

/** Bytes of a frame that would still be in time: what an encoder may spend. Infinity before the path is known. */
export function frameBudgetBytes(input: GateInput): number {
  const { bandwidthBitsPerSecond } = input;
  if (bandwidthBitsPerSecond === undefined) return Number.POSITIVE_INFINITY;
  return Math.max(0, Math.floor((inTimeMs(input) * bandwidthBitsPerSecond) / 8_000));
}

/** How long the frame's datagrams may take from the first to the last for its result to be in time. */
function inTimeMs(input: GateInput): number {
  const { nowMs, capturedMs, deadlineMs, rttMs, marginShare } = input;
  const aheadMs = transmitMs(input.unreceivedBytes, input) - rttMs - reportDelayMs;
  const startMs = Math.max(input.clientLatencyMs, aheadMs);
  // A path on which a frame is late at times is not shut: the frame that has it for itself may go.
  const marginMs =
    minMarginShare * deadlineMs + Math.min(startMs - input.clientLatencyMs, marginShare * deadlineMs);
  const elsewhereMs = rttMs + input.queueMs + input.serverLatencyMs + marginMs;
  return capturedMs + deadlineMs - nowMs - startMs - elsewhereMs;
}

function transmitMs(bytes: number, { bandwidthBitsPerSecond }: GateInput): number {
  return bandwidthBitsPerSecond === undefined ? 0 : (bytes * 8_000) / bandwidthBitsPerSecond;
}
