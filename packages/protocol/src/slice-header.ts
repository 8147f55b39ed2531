import { sluice } from "@sluice/proto";
import { ErrorCode, ProtocolError } from "./error-code.js";
import { maxStreamAlias, maxUnits } from "./limits.js";
import { type Cursor, decodeVarint, encodeVarint, varintBytes } from "./varint.js";

/** What stands before a slice: see `SliceHeader` in proto/sluice/v1/tensor.proto. */
export interface SliceHeader {
  readonly stream: number;
  readonly frame: number;
  readonly index: number;
  readonly count: number;
  /** Milliseconds from the capture of the frame to the sending of the slice. */
  readonly ageMs: number;
  /** `undefined` in the last slice of a datagram. */
  readonly payloadBytes: number | undefined;
  /** Number of the datagram, in its first slice. */
  readonly sequence: number | undefined;
  /** Of a repair symbol: from its datagram's number back to the lowest that it protects; absent where it holds units. */
  readonly repair?: number | undefined;
}

/** Bytes that {@link encodeSliceHeader} writes. */
export function sliceHeaderBytes(header: SliceHeader): number {
  const { stream, frame, index, count, ageMs, payloadBytes, sequence, repair } = header;
  let bytes = 0;
  if (stream !== 0) bytes += 1 + varintBytes(stream);
  if (frame !== 0) bytes += 1 + varintBytes(frame);
  if (index !== 0) bytes += 1 + varintBytes(index);
  if (count !== 0) bytes += 1 + varintBytes(count);
  if (ageMs !== 0) bytes += 1 + varintBytes(ageMs);
  if (payloadBytes !== undefined) bytes += 1 + varintBytes(payloadBytes);
  if (sequence !== undefined) bytes += 1 + varintBytes(sequence);
  if (repair !== undefined) bytes += 1 + varintBytes(repair);
  return bytes;
}

// A hand-written path for the one message that is sent thousands of times a second: it writes what the generated
// code writes, byte for byte (tested), without an object or a buffer in between.

/** Writes a header without its length and returns the offset behind it. */
export function encodeSliceHeader(dst: Uint8Array, offset: number, header: SliceHeader): number {
  let at = offset;
  if (header.stream !== 0) at = field(dst, at, 0x08, header.stream);
  if (header.frame !== 0) at = field(dst, at, 0x10, header.frame);
  if (header.index !== 0) at = field(dst, at, 0x18, header.index);
  if (header.count !== 0) at = field(dst, at, 0x20, header.count);
  if (header.ageMs !== 0) at = field(dst, at, 0x28, header.ageMs);
  if (header.payloadBytes !== undefined) at = field(dst, at, 0x30, header.payloadBytes);
  if (header.sequence !== undefined) at = field(dst, at, 0x38, header.sequence);
  if (header.repair !== undefined) at = field(dst, at, 0x40, header.repair);
  return at;
}

function field(dst: Uint8Array, offset: number, tag: number, value: number): number {
  dst[offset] = tag;
  return encodeVarint(dst, offset + 1, value);
}

/** Reads the header that fills `cursor` from its offset to its end. @throws ProtocolError malformedDatagram, sliceOutOfRange */
export function decodeSliceHeader(cursor: Cursor): SliceHeader {
  const start = cursor.offset;
  let stream = 0;
  let frame = 0;
  let index = 0;
  let count = 0;
  let ageMs = 0;
  let payloadBytes: number | undefined;
  let sequence: number | undefined;
  let repair: number | undefined;
  while (cursor.offset < cursor.end) {
    const tag = cursor.bytes[cursor.offset++]!;
    const known = (tag & 7) === 0 && tag >= 0x08 && tag <= 0x40;
    const value = known ? decodeVarint(cursor) : -1;
    // Unknown fields and varints of other lengths are rare: the generated decoder knows all rules.
    if (value < 0) return checkHeader(decodeGenerated(cursor.bytes.subarray(start, cursor.end)));
    if (tag === 0x08) stream = value;
    else if (tag === 0x10) frame = value;
    else if (tag === 0x18) index = value;
    else if (tag === 0x20) count = value;
    else if (tag === 0x28) ageMs = value;
    else if (tag === 0x30) payloadBytes = value;
    else if (tag === 0x38) sequence = value;
    else repair = value;
  }
  return checkHeader({ stream, frame, index, count, ageMs, payloadBytes, sequence, repair });
}

function decodeGenerated(bytes: Uint8Array): SliceHeader {
  let decoded: sluice.v1.SliceHeader;
  try {
    decoded = sluice.v1.SliceHeader.decode(bytes);
  } catch {
    throw new ProtocolError(ErrorCode.malformedDatagram, "slice header is not a valid message");
  }
  const { stream, frame, index, count, ageMs } = decoded;
  // The generated class knows absent optional fields as null.
  return {
    ...{ stream, frame, index, count, ageMs },
    payloadBytes: decoded.payloadBytes ?? undefined,
    sequence: decoded.sequence ?? undefined,
    ...(decoded.repair === null ? {} : { repair: decoded.repair }),
  };
}

function checkHeader(header: SliceHeader): SliceHeader {
  const { stream, index, count } = header;
  // spec 5.3: what no header of any stream can say.
  if (stream < 1 || stream > maxStreamAlias) {
    throw new ProtocolError(
      ErrorCode.malformedDatagram,
      `slice header: stream ${stream} is not in 1..${maxStreamAlias}`,
    );
  }
  // spec 5.2: the range must lie inside the tensor whatever its size.
  if (count < 1 || count > maxUnits || index >= count) {
    throw new ProtocolError(ErrorCode.sliceOutOfRange, `slice header: slice ${index} of ${count} cannot be`);
  }
  return header;
}
