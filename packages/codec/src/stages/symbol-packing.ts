import { maxByteLevels, type Symbols, TensorError, tensorKernels } from "@sluice/tensor";

/**
 * Dense packing of symbols below any number of levels, at most 3 % over log2(levels) bits each (spec 6.2).
 *
 * Symbols s0, s1, ... are taken in groups of g. A group is the number s0 + s1 L + s2 L^2 + ..., written in the
 * fewest bits that hold L^g, least significant bit first; the last group may be shorter and takes the fewest bits
 * for its own length. Of all g with L^g <= 2^50, it is the one with the fewest bits per symbol, the smallest of equals. Bits fill bytes from the least significant bit; the last byte is padded with 0. Where L is a
 * power of two, this is the same as log2(L) bits for each symbol.
 *
 * A reader ignores the padding and takes a symbol that is too large as L - 1: every payload of the right length
 * decodes.
 */
export interface SymbolPacking {
  readonly levels: number;
  /** Symbols in a full group. */
  readonly groupSymbols: number;
  /** Bits of a group of 0, 1, ... groupSymbols symbols. */
  readonly groupBits: readonly number[];
}

export const minLevels = 2;
export const maxLevels = 65536;

/** Up to here, floor((v + 0.5) * (1 / L)) in float64 is the exact quotient of v by L: the error stays under 0.5 / L. */
const maxGroupBits = 50;

/** @throws TensorError unless `levels` is an integer from {@link minLevels} to {@link maxLevels}. */
export function createSymbolPacking(levels: number): SymbolPacking {
  if (!Number.isInteger(levels) || levels < minLevels || levels > maxLevels) {
    throw new TensorError("levels", `must be an integer from ${minLevels} to ${maxLevels}, got ${levels}`);
  }
  const bitsOfRun = [0];
  let groupSymbols = 1;
  let bits = 0;
  for (let symbols = 1, values = levels; values <= 2 ** maxGroupBits; symbols++, values *= levels) {
    while (2 ** bits < values) bits++;
    bitsOfRun.push(bits);
    if (bits * groupSymbols < bitsOfRun[groupSymbols]! * symbols) groupSymbols = symbols;
  }
  return { levels, groupSymbols, groupBits: bitsOfRun.slice(0, groupSymbols + 1) };
}

/** Bits of each symbol, where they all have as many and no more than a byte. */
export function byteBits({ levels, groupBits }: SymbolPacking): number | undefined {
  return levels <= maxByteLevels && (levels & (levels - 1)) === 0 ? groupBits[1] : undefined;
}

/** Bytes that so many symbols pack into. */
export function packedBytes(packing: SymbolPacking, symbols: number): number {
  const { groupSymbols, groupBits } = packing;
  const groups = Math.floor(symbols / groupSymbols);
  const rest = symbols - groups * groupSymbols;
  return Math.ceil((groups * groupBits[groupSymbols]! + groupBits[rest]!) / 8);
}

/** Packs the first `count` of `symbols`, each below the levels, to `target` from `offset`. */
export function packSymbols(
  packing: SymbolPacking,
  symbols: Symbols,
  count: number,
  target: Uint8Array,
  offset: number,
): void {
  const { levels } = packing;
  if ((levels & (levels - 1)) === 0) {
    tensorKernels().packBits(firstOf(symbols, count), packing.groupBits[1]!, target, offset);
  } else packGroups(packing, symbols, count, target, offset);
}

/** Reads `count` symbols from `source` at `offset`, which must hold {@link packedBytes} of them. */
export function unpackSymbols(
  packing: SymbolPacking,
  source: Uint8Array,
  offset: number,
  symbols: Symbols,
  count: number,
): void {
  const { levels } = packing;
  if ((levels & (levels - 1)) === 0) {
    tensorKernels().unpackBits(source, offset, packing.groupBits[1]!, firstOf(symbols, count));
  } else unpackGroups(packing, source, offset, symbols, count);
}

/** Without a new object where they are all, as for every slice that is decoded. */
function firstOf(symbols: Symbols, count: number): Symbols {
  return symbols.length === count ? symbols : symbols.subarray(0, count);
}

/** A group's number goes through the bit buffer in pieces of this size: 7 bits held and one piece fit 31 bits. */
const pieceBits = 24;
const pieceValues = 1 << pieceBits;

function packGroups(
  packing: SymbolPacking,
  symbols: Symbols,
  count: number,
  target: Uint8Array,
  offset: number,
): void {
  const { levels, groupSymbols, groupBits } = packing;
  let at = offset;
  let pending = 0;
  let held = 0;
  for (let first = 0; first < count; first += groupSymbols) {
    const length = Math.min(groupSymbols, count - first);
    let value = 0;
    for (let i = first + length - 1; i >= first; i--) value = value * levels + symbols[i]!;
    for (let bits = groupBits[length]!; bits > 0; bits -= pieceBits) {
      const rest = Math.floor(value / pieceValues);
      pending |= (value - rest * pieceValues) << held;
      held += Math.min(bits, pieceBits);
      value = rest;
      while (held >= 8) {
        target[at++] = pending;
        pending >>>= 8;
        held -= 8;
      }
    }
  }
  if (held > 0) target[at] = pending;
}

function unpackGroups(
  packing: SymbolPacking,
  source: Uint8Array,
  offset: number,
  symbols: Symbols,
  count: number,
): void {
  const { levels, groupSymbols, groupBits } = packing;
  const inverse = 1 / levels;
  let at = offset;
  let pending = 0;
  let held = 0;
  for (let first = 0; first < count; first += groupSymbols) {
    const length = Math.min(groupSymbols, count - first);
    let value = 0;
    let weight = 1;
    for (let bits = groupBits[length]!; bits > 0; bits -= pieceBits) {
      const wanted = Math.min(bits, pieceBits);
      while (held < wanted) {
        pending |= source[at++]! << held;
        held += 8;
      }
      value += (pending & ((1 << wanted) - 1)) * weight;
      weight *= pieceValues;
      pending >>>= wanted;
      held -= wanted;
    }
    const last = first + length - 1;
    for (let i = first; i < last; i++) {
      const quotient = Math.floor((value + 0.5) * inverse);
      symbols[i] = value - quotient * levels;
      value = quotient;
    }
    symbols[last] = Math.min(value, levels - 1);
  }
}
