/** In which order things are dealt to slices so that any run of them lies as far apart as can be (spec 5.8). */
import { elementCount, TensorError, type TensorSpec } from "@sluice/tensor";
import { type Interleaving, interleaveField } from "./interleaving.js";

/** The largest tensor that is interleaved: both ends make and keep a table of its order. */
export const maxInterleavedElements = 1 << 20;

/**
 * Places of a plane, by rows, in an order in which any run of places is spread over the plane: the first half are the
 * places of one colour of a checkerboard, the first quarter every other one of these, and so on (ordered dithering:
 * Bayer, "An optimum method for two-level rendition of continuous-tone pictures", 1973). A plane of one row gives the
 * order of reversed bits.
 */
export function spreadPlaces(rows: number, columns: number): Uint32Array {
  const rowBits = bitsBelow(rows);
  const columnBits = bitsBelow(columns);
  const rank = Float64Array.from({ length: rows * columns }, (_, place) =>
    rankOf(Math.floor(place / columns), place % columns, rowBits, columnBits),
  );
  return sortedBy(rank);
}

/** The same places in an order that follows from the seed. */
export function shuffledPlaces(count: number, seed: number): Uint32Array {
  return sortedBy(Float64Array.from({ length: count }, (_, place) => scramble(place, seed)));
}

/** Rows and columns in the order in which an interleaving deals them; `contiguous`: as they stand. */
export function dealPlaces(interleaving: Interleaving, rows: number, columns: number): Uint32Array {
  if (interleaving.kind === "contiguous") return Uint32Array.from({ length: rows * columns }, (_, i) => i);
  if (interleaving.kind === "pseudo-random") return shuffledPlaces(rows * columns, interleaving.seed);
  return spreadPlaces(rows, columns);
}

/** @throws TensorError of the field `interleave` where a tensor is too large to be interleaved */
export function checkInterleavedSize({ shape }: TensorSpec): void {
  const elements = elementCount(shape);
  if (elements > maxInterleavedElements) {
    throw new TensorError(
      interleaveField,
      `the tensor has ${elements} elements, at most ${maxInterleavedElements} are interleaved`,
    );
  }
}

/** Bits that numbers below `count` have. */
function bitsBelow(count: number): number {
  return count <= 1 ? 0 : 32 - Math.clz32(count - 1);
}

/** The low bits of row and column decide first: neighbours are dealt far apart. */
function rankOf(row: number, column: number, rowBits: number, columnBits: number): number {
  let rank = 0;
  for (let bit = 0; bit < Math.max(rowBits, columnBits); bit++) {
    const y = (row >>> bit) & 1;
    const x = (column >>> bit) & 1;
    if (bit < rowBits && bit < columnBits) rank = 4 * rank + 2 * (y ^ x) + y;
    else rank = 2 * rank + (bit < rowBits ? y : x);
  }
  return rank;
}

/** 32 bits that look like chance: the finalizer of MurmurHash3 (Appleby, public domain). */
function scramble(place: number, seed: number): number {
  let h = (Math.imul(place, 0x9e3779b9) + seed) >>> 0;
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b) >>> 0;
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35) >>> 0;
  return (h ^ (h >>> 16)) >>> 0;
}

/** Indexes by rising rank, equal ones by themselves. Ranks have 32 bits and indexes 20 (`maxInterleavedElements`). */
function sortedBy(rank: Float64Array): Uint32Array {
  const keys = rank.map((own, index) => own * maxInterleavedElements + index).sort();
  return Uint32Array.from(keys, (key) => key % maxInterleavedElements);
}
