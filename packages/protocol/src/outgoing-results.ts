/**
 * Results that are too large for messages, each on a QUIC stream of its own (spec 7.4): what is on its way, until the
 * client acknowledges it, does not want it, or it is of no more use.
 */
import type { sluice } from "@sluice/proto";
import { createFrameTable } from "./frame-table.js";
import { maxResultStreamBytes, maxResultStreams } from "./limits.js";
import { encodeResultStream } from "./result-framing.js";
import { createResultPace } from "./result-pace.js";

/** A result for a unidirectional stream of its own. */
export interface ResultUpload {
  readonly stream: number;
  readonly frame: number;
  /** Nobody else's: they may be given away. */
  readonly bytes: Uint8Array<ArrayBuffer>;
}

export interface OutgoingResults<Way> {
  /**
   * Takes a result in, or says why not: `full`, as many as a client may leave unread are on their way; `late`, behind these it
   * would not leave in time.
   */
  push(result: sluice.v1.Result.$Properties, way: Way, nowMs: number): "taken" | "full" | "late";
  /** The next one that is to be sent. */
  poll(): ResultUpload | undefined;
  /** The client has it (`isWhole`) or does not want it. @returns whether it was on its way */
  end(stream: number, frame: number, isWhole: boolean, rttMs: number, nowMs: number): boolean;
  /** The next one whose time has passed: it is not on its way any more. */
  expire(rttMs: number, nowMs: number): ExpiredResult<Way> | undefined;
  clear(): void;
  nextTimeoutMs(): number;
  /** On their way. */
  readonly size: number;
}

export interface ExpiredResult<Way> {
  readonly result: sluice.v1.Result.$Properties;
  readonly way: Way;
}

/** When a result is of use, in milliseconds of the server's clock. */
export interface UploadTimes {
  /** What leaves later than this comes after the deadline. */
  readonly inTimeUntilMs: number;
  /** From then on it is given up. */
  readonly resetAtMs: number;
}

interface OnItsWay<Way> extends ExpiredResult<Way> {
  readonly payloadBytes: number;
  readonly startMs: number;
}

/** @typeParam Way what the caller needs to know of a result whose time has passed */
export function createOutgoingResults<Way extends UploadTimes>(): OutgoingResults<Way> {
  const pace = createResultPace();
  const onTheirWay = createFrameTable<OnItsWay<Way>>();
  const toSend = createFrameTable<ResultUpload>();
  let bytes = 0;

  function take(
    stream: number,
    frame: number,
    isWhole: boolean,
    rttMs: number,
    nowMs: number,
  ): OnItsWay<Way> | undefined {
    const entry = onTheirWay.take(stream, frame);
    if (!entry) return undefined;
    const { payloadBytes, startMs } = entry;
    toSend.take(stream, frame);
    bytes -= payloadBytes;
    pace.end({ bytes: payloadBytes, startMs, isWhole }, bytes, rttMs, nowMs);
    return entry;
  }

  return {
    push(result, way, nowMs) {
      const { payload, ...fields } = result;
      const stream = fields.stream ?? 0;
      const frame = fields.frame ?? 0;
      const payloadBytes = payload?.length ?? 0;
      if (onTheirWay.size >= maxResultStreams || bytes + payloadBytes > maxResultStreamBytes) return "full";
      // One alone is always tried: the path may have changed.
      if (bytes > 0 && pace.leavesAtMs(payloadBytes, nowMs) > way.inTimeUntilMs) return "late";
      pace.begin(payloadBytes, nowMs);
      bytes += payloadBytes;
      // Its payload is in the bytes to be sent, and is not kept for longer than these.
      onTheirWay.set(stream, frame, { result: fields, way, payloadBytes, startMs: nowMs });
      toSend.set(stream, frame, { stream, frame, bytes: encodeResultStream(result) });
      return "taken";
    },
    poll: () => toSend.shift(),
    end: (stream, frame, isWhole, rttMs, nowMs) => take(stream, frame, isWhole, rttMs, nowMs) !== undefined,
    expire(rttMs, nowMs) {
      const late = onTheirWay.values.find(({ way }) => way.resetAtMs <= nowMs);
      return late && take(late.result.stream ?? 0, late.result.frame ?? 0, false, rttMs, nowMs);
    },
    clear() {
      onTheirWay.clear();
      toSend.clear();
      bytes = 0;
    },
    nextTimeoutMs() {
      let next = Number.POSITIVE_INFINITY;
      for (const { way } of onTheirWay.values) next = Math.min(next, way.resetAtMs);
      return next;
    },
    get size() {
      return onTheirWay.size;
    },
  };
}
