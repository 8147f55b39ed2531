/** Whether what is lost of a frame can be sent again in time, so that parity need not be (spec 5.9). Milliseconds. */
export interface RetransmissionConditions {
  readonly nowMs: number;
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
 * Whether one more sending would be in time for what leaves now: it arrives after half a round trip, the report is back
 * after another half, what is sent again arrives after a third, and the answer after a fourth.
 */
export function mayRetransmit(conditions: RetransmissionConditions): boolean {
  const { nowMs, capturedMs, deadlineMs, rttMs, rttVariationMs, serverLatencyMs, queueMs } = conditions;
  const neededMs = 2 * rttMs + 4 * rttVariationMs + detectionMs + 2 * queueMs + 2 * serverLatencyMs;
  return nowMs - capturedMs + neededMs <= (1 - reserveShare) * deadlineMs;
}
