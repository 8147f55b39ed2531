import { type AdaptiveBits, adapt } from "./adaptive-bits.js";

/**
 * Binary arithmetic coding with 32 bits of range and a carry, a byte at a time (after G. N. N. Martin, "Range encoding",
 * 1979). What it writes is the shortest that its decoder tells from anything longer or shorter.
 */
export interface RangeEncoder {
  /** Bytes that are final, but for a carry. */
  readonly length: number;
  start(): void;
  /** Codes a decision with the probability of its context, which learns it. */
  encode(bits: AdaptiveBits, context: number, bit: number): void;
  /** Codes a decision of which nothing is known. */
  encodeEven(bit: number): void;
  /** @returns a view that lasts until the next start; one byte longer than `length` */
  finish(): Uint8Array;
}

const byteBelow = 2 ** 24;
const wordBelow = 2 ** 32;

export function createRangeEncoder(): RangeEncoder {
  let bytes = new Uint8Array(2048);
  let length = 0;
  let low = 0;
  let range = 0;

  function carry(): void {
    low -= wordBelow;
    let at = length - 1;
    for (; bytes[at] === 255; at--) bytes[at] = 0;
    bytes[at]!++;
  }

  function writeByte(byte: number): void {
    if (length === bytes.length) {
      const longer = new Uint8Array(2 * length);
      longer.set(bytes);
      bytes = longer;
    }
    bytes[length++] = byte;
  }

  function normalize(): void {
    while (range < byteBelow) {
      writeByte(low >>> 24);
      low = (low << 8) >>> 0;
      range = (range << 8) >>> 0;
    }
  }

  return {
    get length() {
      return length;
    },
    start() {
      length = 0;
      low = 0;
      range = wordBelow - 1;
    },
    encode(bits, context, bit) {
      const bound = (range >>> 16) * bits.probability[context]!;
      if (bit === 1) range = bound;
      else {
        low += bound;
        range -= bound;
        if (low >= wordBelow) carry();
      }
      adapt(bits, context, bit);
      if (range < byteBelow) normalize();
    },
    encodeEven(bit) {
      const half = range >>> 1;
      if (bit === 1) range = half;
      else {
        low += half;
        range -= half;
        if (low >= wordBelow) carry();
      }
      if (range < byteBelow) normalize();
    },
    finish() {
      // The range is at least 2^24, so one byte more tells the interval.
      low += byteBelow - 1;
      if (low >= wordBelow) carry();
      writeByte(low >>> 24);
      length--;
      return bytes.subarray(0, length + 1);
    },
  };
}
