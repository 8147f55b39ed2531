import { type AdaptiveBits, adapt } from "./adaptive-bits.js";

/** Reads what the range encoder wrote. Behind the end there are zeros, so it never fails: `isAtEnd` tells. */
export interface RangeDecoder {
  start(bytes: Uint8Array): void;
  decode(bits: AdaptiveBits, context: number): number;
  decodeEven(): number;
  /** Whether as many bytes were read as the encoder writes for what was decoded. */
  readonly isAtEnd: boolean;
}

const byteBelow = 2 ** 24;

export function createRangeDecoder(): RangeDecoder {
  let source: Uint8Array = new Uint8Array(0);
  let at = 0;
  let range = 0;
  /** What was read, less the low end of the interval. */
  let offset = 0;

  function normalize(): void {
    while (range < byteBelow) {
      offset = ((offset << 8) | (source[at++] ?? 0)) >>> 0;
      range = (range << 8) >>> 0;
    }
  }

  return {
    start(bytes) {
      source = bytes;
      at = 0;
      offset = 0;
      for (let i = 0; i < 4; i++) offset = ((offset << 8) | (source[at++] ?? 0)) >>> 0;
      range = 2 ** 32 - 1;
    },
    decode(bits, context) {
      const bound = (range >>> 16) * bits.probability[context]!;
      const bit = offset < bound ? 1 : 0;
      if (bit === 1) range = bound;
      else {
        offset -= bound;
        range -= bound;
      }
      adapt(bits, context, bit);
      if (range < byteBelow) normalize();
      return bit;
    },
    decodeEven() {
      const half = range >>> 1;
      const bit = offset < half ? 1 : 0;
      if (bit === 1) range = half;
      else {
        offset -= half;
        range -= half;
      }
      if (range < byteBelow) normalize();
      return bit;
    },
    get isAtEnd() {
      return at - 3 === source.length;
    },
  };
}
