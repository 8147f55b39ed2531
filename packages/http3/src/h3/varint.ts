/** Largest value that {@link encodeVarint} takes: whole numbers stay exact up to here. */
export const MAX_VARINT = Number.MAX_SAFE_INTEGER;

/** Bytes that `value` takes on the wire: 1, 2, 4 or 8 (RFC 9000 16). */
export function varintBytes(value: number): number {
  if (value < 0x40) return 1;
  if (value < 0x4000) return 2;
  if (value < 0x4000_0000) return 4;
  return 8;
}

/**
 * Writes `value`, a whole number from 0 to 2^53 - 1, at `offset` and returns the offset behind it.
 * RFC 9000 16: the two most significant bits give the length.
 */
export function encodeVarint(dst: Uint8Array, offset: number, value: number): number {
  if (!(value >= 0 && value <= MAX_VARINT)) throw new RangeError(`varint out of range: ${value}`);
  if (value < 0x40) {
    dst[offset] = value;
    return offset + 1;
  }
  if (value < 0x4000) {
    dst[offset] = 0x40 | (value >>> 8);
    dst[offset + 1] = value & 0xff;
    return offset + 2;
  }
  const low = value % 0x1_0000_0000;
  if (value < 0x4000_0000) {
    writeUint32(dst, offset, 0x8000_0000 + low);
    return offset + 4;
  }
  writeUint32(dst, offset, 0xc000_0000 + Math.floor(value / 0x1_0000_0000));
  writeUint32(dst, offset + 4, low);
  return offset + 8;
}

function writeUint32(dst: Uint8Array, offset: number, value: number): void {
  dst[offset] = value / 0x100_0000;
  dst[offset + 1] = (value >>> 16) & 0xff;
  dst[offset + 2] = (value >>> 8) & 0xff;
  dst[offset + 3] = value & 0xff;
}

/** Bytes of the varint that starts with `firstByte`. */
export function varintBytesFrom(firstByte: number): number {
  return 1 << (firstByte >>> 6);
}

/**
 * The varint at `offset`, or -1 where `src` ends before it does. Its length is
 * `varintBytesFrom(src[offset])`. Above 2^53 the value is rounded, which keeps it unequal to every identifier
 * and larger than every limit in use here.
 */
export function decodeVarint(src: Uint8Array, offset: number): number {
  const first = src[offset];
  if (first === undefined) return -1;
  const length = varintBytesFrom(first);
  if (offset + length > src.byteLength) return -1;
  let value = first & 0x3f;
  for (let i = 1; i < length; i++) value = value * 256 + (src[offset + i] ?? 0);
  return value;
}
