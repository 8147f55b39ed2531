/**
 * A datagram is a sequence of items (spec 5.1). An item starts with a varint `n`:
 * - `n` > 0: a slice header of `n` bytes, then the payload: as long as the header says, or to the end;
 * - `n` = 0: a control message behind its own length.
 * A unidirectional stream in the modes `stream` and `reliable` holds slices alone, each with its length.
 */
import { type ControlMessage, type ControlName, decodeControl } from "./control-message.js";
import { ErrorCode, ProtocolError } from "./error-code.js";
import { maxControlMessageBytes, maxSliceHeaderBytes } from "./limits.js";
import { decodeSliceHeader, encodeSliceHeader, type SliceHeader, sliceHeaderBytes } from "./slice-header.js";
import { type Cursor, decodeVarint, encodeVarint, varintBytes } from "./varint.js";

/** A slice in a datagram; the payload is a view into the datagram's bytes. */
export interface ReceivedSlice {
  readonly header: SliceHeader;
  readonly payload: Uint8Array;
}

export interface Datagram {
  readonly slices: ReceivedSlice[];
  readonly controls: ControlMessage[];
}

/** Messages that may be lost, and so may stand in a datagram (spec 5.4). */
const lossyControls: ReadonlySet<ControlName> = new Set(["feedback", "result", "resultAck", "ping", "pong"]);

/** Reads a whole datagram. The payloads are views into `bytes`. @throws ProtocolError */
export function decodeDatagram(bytes: Uint8Array): Datagram {
  const slices: ReceivedSlice[] = [];
  const controls: ControlMessage[] = [];
  const cursor: Cursor = { bytes, offset: 0, end: bytes.length };
  while (cursor.offset < bytes.length) {
    const headerBytes = decodeVarint(cursor);
    if (headerBytes === 0) {
      const length = decodeVarint(cursor);
      if (length < 0 || length > maxControlMessageBytes) malformed("the length of a control message");
      const message = decodeControl(take(cursor, length, "control message"));
      if (message && !lossyControls.has(message.kind)) {
        throw new ProtocolError(ErrorCode.protocolViolation, `${message.kind} is not allowed in a datagram`);
      }
      if (message) controls.push(message);
    } else {
      slices.push(decodeSlice(cursor, headerBytes));
    }
  }
  return { slices, controls };
}

function decodeSlice(cursor: Cursor, headerBytes: number): ReceivedSlice {
  if (headerBytes < 0 || headerBytes > maxSliceHeaderBytes) malformed("the length of a slice header");
  const start = skip(cursor, headerBytes, "slice header");
  const header = decodeSliceHeader({ bytes: cursor.bytes, offset: start, end: cursor.offset });
  return { header, payload: take(cursor, header.payloadBytes ?? cursor.end - cursor.offset, "payload") };
}

/** Passes over so many bytes and returns where they begin. */
function skip(cursor: Cursor, length: number, what: string): number {
  if (cursor.offset + length > cursor.end) malformed(`${what}: ${length} bytes`);
  cursor.offset += length;
  return cursor.offset - length;
}

function take(cursor: Cursor, length: number, what: string): Uint8Array {
  const start = skip(cursor, length, what);
  return cursor.bytes.subarray(start, cursor.offset);
}

function malformed(what: string): never {
  throw new ProtocolError(ErrorCode.malformedDatagram, `datagram: ${what} does not fit`);
}

/** Bytes that a control message takes in a datagram. */
export function controlItemBytes(body: Uint8Array): number {
  return 1 + varintBytes(body.length) + body.length;
}

/** Writes a control message's bytes as an item and returns the offset behind it. */
export function encodeControlItem(dst: Uint8Array, offset: number, body: Uint8Array): number {
  dst[offset] = 0;
  const at = encodeVarint(dst, offset + 1, body.length);
  dst.set(body, at);
  return at + body.length;
}

/** Bytes that a slice takes in a datagram. Headers are shorter than 128 bytes, so their length is one byte. */
export function sliceItemBytes(header: SliceHeader, payloadBytes: number): number {
  return 1 + sliceHeaderBytes(header) + payloadBytes;
}

/**
 * Bytes to leave for the header when a tensor is cut into slices that fill a datagram: 2 % of 1,200. It is enough for
 * frames below 2^21 and datagrams below 2^28; a slice that turns out too large is split.
 */
export const sliceItemOverhead = 24;

/** Writes a slice as an item and returns the offset behind it. */
export function encodeSliceItem(
  dst: Uint8Array,
  offset: number,
  header: SliceHeader,
  payload: Uint8Array,
): number {
  const at = encodeSliceHeader(dst, offset + 1, header);
  dst[offset] = at - offset - 1;
  dst.set(payload, at);
  return at + payload.length;
}

/** What a message of at most 16,383 bytes costs in a datagram beside its own: a zero, and its length as a varint. */
export const itemOverhead = 4;
