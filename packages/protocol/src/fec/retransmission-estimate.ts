/** Whether what is lost of a frame can be sent again in time, so that parity need not be (spec 5.9). Milliseconds. */
export interface RetransmissionConditions {
  readonly capturedMs: number;
  readonly deadlineMs: number;
  readonly rttMs: number;
  readonly rttVariationMs: number;
  /** What the server takes for a frame. */
  readonly serverLatencyMs: number;
  /** The queue that datagrams meet on their way. */
  readonly queueMs: number;
}

/** A report is gathered for 10 ms, and a loss is believed once a datagram that left 8 ms later has come. */
const detectionMs = 18;
/** The server lets a frame that waits for more go so much of its deadline earlier, for its answer may be lost too. */
const reserveShare = 0.1;

/**
 * Whether one more sending would be in time for what leaves at `nowMs`: its loss is known a round trip later.
 */
export function mayRetransmit(conditions: RetransmissionConditions & { readonly nowMs: number }): boolean {
  const { nowMs, rttMs, rttVariationMs, queueMs } = conditions;
  const detectedMs = nowMs + rttMs + 4 * rttVariationMs + queueMs + detectionMs;
  return detectedMs <= latestParityMs(conditions);
}

/** When a datagram must leave at the latest for its frame to be answered in time: half a round trip there, half back. */
export function latestParityMs(conditions: RetransmissionConditions): number {
  const { capturedMs, deadlineMs, rttMs, serverLatencyMs, queueMs } = conditions;
  return capturedMs + (1 - reserveShare) * deadlineMs - rttMs - 2 * serverLatencyMs - queueMs;
}
