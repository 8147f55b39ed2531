/**
 * Results that are too large for messages, each on a QUIC stream of its own (spec 7.4): what is on its way, until the
 * client acknowledges it, does not want it, or it is of no more use.
 */
import type { sluice } from "@sluice/proto";
import { createFrameTable } from "./frame-table.js";
import { maxResultStreamBytes, maxResultStreams } from "./limits.js";
import { encodeResultStream } from "./result-framing.js";

/** A result for a unidirectional stream of its own. */
export interface ResultUpload {
  readonly stream: number;
  readonly frame: number;
  /** Nobody else's: they may be given away. */
  readonly bytes: Uint8Array<ArrayBuffer>;
}

export interface OutgoingResults<Way> {
  /** False where there is no room: more than a client may leave unread are on their way. */
  push(result: sluice.v1.Result.$Properties, way: Way, resetAtMs: number): boolean;
  /** The next one that is to be sent. */
  poll(): ResultUpload | undefined;
  /** It has ended: the client has it or does not want it. @returns whether it was on its way */
  end(stream: number, frame: number): boolean;
  /** The next one whose time has passed: it is not on its way any more. */
  expire(nowMs: number): ExpiredResult<Way> | undefined;
  clear(): void;
  nextTimeoutMs(): number;
  /** On their way. */
  readonly size: number;
}

export interface ExpiredResult<Way> {
  readonly result: sluice.v1.Result.$Properties;
  readonly way: Way;
}

interface OnItsWay<Way> extends ExpiredResult<Way> {
  readonly payloadBytes: number;
  readonly resetAtMs: number;
}

/** @typeParam Way what the caller needs to know of a result whose time has passed */
export function createOutgoingResults<Way>(): OutgoingResults<Way> {
  const onTheirWay = createFrameTable<OnItsWay<Way>>();
  const toSend = createFrameTable<ResultUpload>();
  let bytes = 0;

  function take(stream: number, frame: number): OnItsWay<Way> | undefined {
    const entry = onTheirWay.take(stream, frame);
    toSend.take(stream, frame);
    bytes -= entry?.payloadBytes ?? 0;
    return entry;
  }

  return {
    push(result, way, resetAtMs) {
      const { payload, ...fields } = result;
      const stream = fields.stream ?? 0;
      const frame = fields.frame ?? 0;
      const payloadBytes = payload?.length ?? 0;
      if (onTheirWay.size >= maxResultStreams || bytes + payloadBytes > maxResultStreamBytes) return false;
      bytes += payloadBytes;
      // Its payload is in the bytes to be sent, and is not kept for longer than these.
      const entry = { result: fields, way, resetAtMs, payloadBytes };
      onTheirWay.set(stream, frame, entry);
      toSend.set(stream, frame, { stream, frame, bytes: encodeResultStream(result) });
      return true;
    },
    poll: () => toSend.shift(),
    end: (stream, frame) => take(stream, frame) !== undefined,
    expire(nowMs) {
      const late = onTheirWay.values.find(({ resetAtMs }) => resetAtMs <= nowMs);
      return late && take(late.result.stream ?? 0, late.result.frame ?? 0);
    },
    clear() {
      onTheirWay.clear();
      toSend.clear();
      bytes = 0;
    },
    nextTimeoutMs() {
      let next = Number.POSITIVE_INFINITY;
      for (const { resetAtMs } of onTheirWay.values) next = Math.min(next, resetAtMs);
      return next;
    },
    get size() {
      return onTheirWay.size;
    },
  };
}
