/** The bytes of a tensor on a unidirectional stream of its own: its slices one after the other (spec 5.1). */

import { encodeSliceItem, type ReceivedSlice, sliceItemBytes, sliceItemOverhead } from "./datagram.js";
import { ErrorCode, ProtocolError } from "./error-code.js";
import { joinChunks } from "./join-chunks.js";
import { maxAgeMs, maxSliceHeaderBytes } from "./limits.js";
import type { OutgoingSlice } from "./send-buffer.js";
import { decodeSliceHeader, type SliceHeader } from "./slice-header.js";
import { decodeVarint } from "./varint.js";

/** The largest payload that fits a datagram of this size with the longest header; 0 where none fits. */
export function maxSlicePayloadBytes(maxDatagramBytes: number): number {
  return Math.max(0, maxDatagramBytes - sliceItemOverhead);
}

/** On a stream every slice names its length, so that what came before a reset can be used. */
export function encodeTensor(
  stream: number,
  frame: number,
  slices: readonly OutgoingSlice[],
  ageMs: number,
): Uint8Array {
  const headers = slices.map(
    ({ index, count, payload }): SliceHeader => ({
      ...{ stream, frame, index, count, payloadBytes: payload.length, sequence: undefined },
      ageMs: Math.min(ageMs, maxAgeMs),
    }),
  );
  const sizes = slices.map(({ payload }, i) => sliceItemBytes(headers[i]!, payload.length));
  const bytes = new Uint8Array(sizes.reduce((sum, size) => sum + size, 0));
  let end = 0;
  for (let i = 0; i < slices.length; i++) end = encodeSliceItem(bytes, end, headers[i]!, slices[i]!.payload);
  return bytes;
}

/** Cuts the bytes of a tensor's stream into slices. */
export interface TensorDecoder {
  /** @throws ProtocolError where the bytes are no slices or a slice is larger than allowed (spec 5.1). */
  decode(chunk: Uint8Array): ReceivedSlice[];
  /** Bytes that wait for the rest of their slice: at most one slice. */
  readonly heldBytes: number;
}

export function createTensorDecoder(maxBytes: number): TensorDecoder {
  let chunks: Uint8Array[] = [];
  let held = 0;
  /** Bytes that are needed before it is worth looking again. */
  let needed = 1;
  function decode(chunk: Uint8Array): ReceivedSlice[] {
    chunks.push(chunk);
    held += chunk.length;
    if (held < needed) return [];
    const bytes = joinChunks(chunks, held);
    const slices: ReceivedSlice[] = [];
    let done = 0;
    while (done < bytes.length) {
      const cursor = { bytes, offset: done, end: bytes.length };
      const headerBytes = decodeVarint(cursor);
      if (headerBytes < 1 || headerBytes > maxSliceHeaderBytes) {
        throw new ProtocolError(ErrorCode.protocolViolation, "tensor stream: not a slice header");
      }
      const payloadAt = cursor.offset + headerBytes;
      needed = payloadAt - done;
      if (payloadAt > bytes.length) break;
      const header = decodeSliceHeader({ bytes, offset: cursor.offset, end: payloadAt });
      if (header.payloadBytes === undefined || header.payloadBytes > maxBytes) {
        throw new ProtocolError(ErrorCode.limitExceeded, `tensor stream: a slice of over ${maxBytes} bytes`);
      }
      needed = payloadAt + header.payloadBytes - done;
      if (done + needed > bytes.length) break;
      slices.push({ header, payload: bytes.subarray(payloadAt, done + needed) });
      done += needed;
      needed = 1;
    }
    chunks = done < bytes.length ? [bytes.subarray(done)] : [];
    held = bytes.length - done;
    return slices;
  }

  return {
    decode,
    get heldBytes() {
      return held;
    },
  };
}
