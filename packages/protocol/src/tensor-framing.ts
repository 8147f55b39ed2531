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
): Uint8Array<ArrayBuffer> {
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
  /** The beginning of a slice whose rest has not come. */
  let chunks: Uint8Array[] = [];
  let held = 0;
  /** Bytes of the next slice that are needed before it is worth looking again; always more than are held. */
  let needed = 1;

  /** The slice at `offset`, or `undefined` where more bytes are needed, of which `needed` then says how many. */
  function readSlice(bytes: Uint8Array, offset: number): ReceivedSlice | undefined {
    const cursor = { bytes, offset, end: bytes.length };
    const headerBytes = decodeVarint(cursor);
    if (headerBytes < 1 || headerBytes > maxSliceHeaderBytes) {
      throw new ProtocolError(ErrorCode.protocolViolation, "tensor stream: not a slice header");
    }
    const payloadAt = cursor.offset + headerBytes;
    needed = payloadAt - offset;
    if (payloadAt > bytes.length) return undefined;
    const header = decodeSliceHeader({ bytes, offset: cursor.offset, end: payloadAt });
    if (header.payloadBytes === undefined || header.payloadBytes > maxBytes) {
      throw new ProtocolError(ErrorCode.limitExceeded, `tensor stream: a slice of over ${maxBytes} bytes`);
    }
    needed += header.payloadBytes;
    if (offset + needed > bytes.length) return undefined;
    return { header, payload: bytes.subarray(payloadAt, offset + needed) };
  }

  function hold(bytes: Uint8Array): void {
    chunks.push(bytes);
    held += bytes.length;
  }

  /** Completes the slice that was begun, with no more of the chunk than it takes. @returns the offset behind that */
  function complete(chunk: Uint8Array, slices: ReceivedSlice[]): number {
    let at = 0;
    while (held > 0 && at < chunk.length) {
      const rest = chunk.subarray(at, at + needed - held);
      at += rest.length;
      hold(rest);
      if (held < needed) break;
      const bytes = joinChunks(chunks, held);
      const slice = readSlice(bytes, 0);
      chunks = slice ? [] : [bytes];
      if (!slice) continue;
      slices.push(slice);
      held = 0;
      needed = 1;
    }
    return at;
  }

  function decode(chunk: Uint8Array): ReceivedSlice[] {
    const slices: ReceivedSlice[] = [];
    // All others are views of the chunk they came in.
    for (let at = complete(chunk, slices); at < chunk.length; ) {
      const slice = readSlice(chunk, at);
      if (!slice) {
        hold(chunk.subarray(at));
        break;
      }
      slices.push(slice);
      at += needed;
      needed = 1;
    }
    return slices;
  }

  return {
    decode,
    get heldBytes() {
      return held;
    },
  };
}
