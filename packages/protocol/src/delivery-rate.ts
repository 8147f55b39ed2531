/**
 * What the path has delivered lately: a lower bound of what it carries, for frames too small to measure it by trains
 * (spec 5.6). As in draft-cheng-iccrg-delivery-rate-estimation, what arrived in a time counts over the longer one of the
 * time that it took to arrive and of the time in which it left: behind a stall much arrives at once.
 */
import { createWindowedMin } from "./windowed-min.js";

export interface DeliveryRate {
  /** A report has come. */
  add(progress: Progress, nowMs: number): void;
  /** The path has become another one: nothing is known of it. */
  forget(): void;
  /** Bits per second, the most of the last seconds; 0 before two reports. */
  bitsPerSecond(nowMs: number): number;
}

/** What a report tells, of all of the session. */
export interface Progress {
  readonly deliveredBytes: number;
  /** When the last datagram left that the report knows. */
  readonly sentMs: number;
  /** When the report was made, on the receiver's clock. */
  readonly reportedMs: number;
}

/** Jitter moves what arrives in so long by a few hundredths. */
const minSpanMs = 100;
const windowMs = 4_000;

export function createDeliveryRate(): DeliveryRate {
  let slowness = createWindowedMin(windowMs);
  let from: Progress | undefined;
  return {
    add(progress, nowMs) {
      from ??= progress;
      const { deliveredBytes, sentMs, reportedMs } = progress;
      const spanMs = Math.max(sentMs - from.sentMs, reportedMs - from.reportedMs);
      if (spanMs < minSpanMs) return;
      const bytes = deliveredBytes - from.deliveredBytes;
      if (bytes > 0) slowness.add(spanMs / bytes, nowMs);
      from = progress;
    },
    forget() {
      slowness = createWindowedMin(windowMs);
      from = undefined;
    },
    bitsPerSecond(nowMs) {
      const msPerByte = slowness.get(nowMs);
      return msPerByte === undefined ? 0 : 8_000 / msPerByte;
    },
  };
}
