import { type AdaptiveBits, createAdaptiveBits } from "./adaptive-bits.js";
import type { Neighbourhood } from "./neighbourhood.js";
import type { RangeDecoder } from "./range-decoder.js";
import type { RangeEncoder } from "./range-encoder.js";

/** How a symbol is written as binary decisions, given what is around it (spec 6.10). */
export interface SymbolCoding {
  readonly bits: AdaptiveBits;
  encode(encoder: RangeEncoder, symbol: number, around: Neighbourhood): void;
  /** @returns a number that may be too large for a symbol: the payload is broken */
  decode(decoder: RangeDecoder, around: Neighbourhood): number;
}

/** Up to so many levels, the bits of a symbol are coded by themselves. */
const maxDirectLevels = 8;

export function createSymbolCoding(levels: number): SymbolCoding {
  return levels <= maxDirectLevels ? directCoding(levels) : residualCoding(levels);
}

const bitLength = (value: number): number => 32 - Math.clz32(value);

/** The symbol's bits from the highest on, each in the context of the mean and of the bits before it. */
function directCoding(levels: number): SymbolCoding {
  const symbolBits = bitLength(levels - 1);
  const bits = createAdaptiveBits(levels << symbolBits);
  return {
    bits,
    encode(encoder, symbol, { mean }) {
      const base = mean << symbolBits;
      for (let shift = symbolBits - 1, node = 1; shift >= 0; shift--) {
        const bit = (symbol >> shift) & 1;
        encoder.encode(bits, base + node, bit);
        node = 2 * node + bit;
      }
    },
    decode(decoder, { mean }) {
      const base = mean << symbolBits;
      let node = 1;
      for (let shift = symbolBits; shift > 0; shift--) node = 2 * node + decoder.decode(bits, base + node);
      return node - (1 << symbolBits);
    },
  };
}

const activityContexts = 4;
const lengthContexts = 16;
/** Bits behind the first one of a number that are worth a context each. */
const adaptiveBits = 2;

/**
 * The difference to the mean, folded to a number from 0: its length in bits as a row of decisions in the context of the
 * activity, then the bits behind its first one, of which two adapt.
 */
function residualCoding(levels: number): SymbolCoding {
  const maxLength = bitLength(levels - 1);
  const firstBits = activityContexts * lengthContexts;
  const bits = createAdaptiveBits(firstBits + ((maxLength + 1) << adaptiveBits));
  const lengthContext = (activity: number): number =>
    lengthContexts * Math.min(activityContexts - 1, bitLength(Math.floor((16 * activity) / levels)));

  return {
    bits,
    encode(encoder, symbol, { mean, activity }) {
      const folded = fold(symbol, mean, levels);
      const length = bitLength(folded);
      const base = lengthContext(activity);
      for (let i = 0; i < length; i++) encoder.encode(bits, base + i, 1);
      if (length < maxLength) encoder.encode(bits, base + length, 0);
      for (let shift = length - 2, node = 1; shift >= 0; shift--) {
        const bit = (folded >> shift) & 1;
        if (node < 1 << adaptiveBits) {
          encoder.encode(bits, firstBits + (length << adaptiveBits) + node, bit);
          node = 2 * node + bit;
        } else encoder.encodeEven(bit);
      }
    },
    decode(decoder, { mean, activity }) {
      const base = lengthContext(activity);
      let length = 0;
      while (length < maxLength && decoder.decode(bits, base + length) === 1) length++;
      let folded = length === 0 ? 0 : 1;
      for (let shift = length - 2, node = 1; shift >= 0; shift--) {
        let bit: number;
        if (node < 1 << adaptiveBits) {
          bit = decoder.decode(bits, firstBits + (length << adaptiveBits) + node);
          node = 2 * node + bit;
        } else bit = decoder.decodeEven();
        folded = 2 * folded + bit;
      }
      return folded < levels ? unfold(folded, mean, levels) : levels;
    },
  };
}

/** Numbers differences in turn, as long as there are both signs, then those of the side that goes on. */
export function fold(symbol: number, mean: number, levels: number): number {
  const difference = symbol - mean;
  const both = Math.min(mean, levels - 1 - mean);
  if (Math.abs(difference) > both) return both + Math.abs(difference);
  return difference > 0 ? 2 * difference - 1 : -2 * difference;
}

/** The symbol that {@link fold} numbered. */
export function unfold(folded: number, mean: number, levels: number): number {
  const both = Math.min(mean, levels - 1 - mean);
  if (folded > 2 * both) return mean < levels - 1 - mean ? mean + folded - both : mean - folded + both;
  return folded % 2 === 1 ? mean + (folded + 1) / 2 : mean - folded / 2;
}
