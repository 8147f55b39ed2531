/** Varints as in Protocol Buffers (LEB128), up to 32 bits. */

/** Bytes of `value`, an integer from 0 to 2^32 - 1. */
export function varintBytes(value: number): number {
  if (value < 0x80) return 1;
  if (value < 0x4000) return 2;
  if (value < 0x200000) return 3;
  return value < 0x10000000 ? 4 : 5;
}

/** Writes `value` and returns the offset behind it. */
export function encodeVarint(dst: Uint8Array, offset: number, value: number): number {
  let rest = value;
  while (rest >= 0x80) {
    dst[offset++] = (rest & 0x7f) | 0x80;
    rest = Math.floor(rest / 128);
  }
  dst[offset++] = rest;
  return offset;
}

/** A position in bytes that are being read. */
export interface Cursor {
  readonly bytes: Uint8Array;
  offset: number;
  readonly end: number;
}

/** Reads a varint of at most 32 bits; -1 where it is cut off or too long, and the offset is then undefined. */
export function decodeVarint(cursor: Cursor): number {
  const { bytes, end } = cursor;
  let value = 0;
  let scale = 1;
  for (let i = 0; i < 5; i++) {
    if (cursor.offset >= end) return -1;
    const byte = bytes[cursor.offset++]!;
    value += (byte & 0x7f) * scale;
    if (byte < 0x80) return value <= 0xffffffff ? value : -1;
    scale *= 128;
  }
  return -1;
}
