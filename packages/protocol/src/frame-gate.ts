/**
 * Decides about a frame before any work is done on it (spec 3.3): Ulhaq & Bajić, "Shared mobile-cloud inference for
 * collaborative intelligence", `should_process_frame`, with the deadline of the result that it lacks.
 */

import { maxBlindBytes } from "./limits.js";

/** What the sender knows at the moment of the decision. Times in milliseconds, durations from now on. */
export interface GateInput {
  readonly nowMs: number;
  readonly capturedMs: number;
  readonly deadlineMs: number;
  /** Expected time of the client's half and the encoder. */
  readonly clientLatencyMs: number;
  /** Expected time from the arrival of the last slice to the departure of the result. */
  readonly serverLatencyMs: number;
  readonly rttMs: number;
  /** When the server's rate limit allows the next frame. */
  readonly serverFreeAtMs: number;
  /** Sent or waiting to be sent, and not known to have arrived. */
  readonly unreceivedBytes: number;
  /** `undefined`: not known yet. */
  readonly bandwidthBitsPerSecond: number | undefined;
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

/** `undefined`: process the frame. */
export function frameGate(input: GateInput): GateReason | undefined {
  const { nowMs, clientLatencyMs, bandwidthBitsPerSecond } = input;
  if (input.maxFramesInFlight > 0 && input.framesInFlight >= input.maxFramesInFlight) return "in-flight";
  // server_remain: the server would not take the frame at the moment when the client's half is done.
  if (input.serverFreeAtMs > nowMs + clientLatencyMs) return "server-limit";
  let queueMs = 0;
  let transmitMs = 0;
  if (bandwidthBitsPerSecond !== undefined) {
    const bytesPerMs = bandwidthBitsPerSecond / 8_000;
    // bandwidth_remain, once as it may be at worst and once as it is at least.
    queueMs = Math.max(0, input.unreceivedBytes / bytesPerMs - input.rttMs);
    transmitMs = input.expectedBytes / bytesPerMs;
    if (queueMs - reportDelayMs > clientLatencyMs + toleratedQueueMs) return "bandwidth";
  } else if (input.unreceivedBytes > maxBlindBytes) return "bandwidth";
  const sendAtMs = nowMs + Math.max(clientLatencyMs, queueMs);
  const resultAtMs = sendAtMs + transmitMs + input.rttMs + input.serverLatencyMs;
  return resultAtMs > input.capturedMs + input.deadlineMs ? "deadline" : undefined;
}
