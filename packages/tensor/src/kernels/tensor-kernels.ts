import type { LevelTable, Symbols } from "./level-table.js";
import type { Tiling } from "./tiling.js";

/**
 * The inner loops over a tensor's elements. Both kinds give the same results, bit for bit, and throw the same
 * TensorError where arrays and parameters do not fit. They are synchronous and keep nothing between calls.
 */
export interface TensorKernels {
  /** `simd` runs in WebAssembly, `plain` in JavaScript. */
  readonly kind: "simd" | "plain";

  /**
   * Symbols of `values`, which are the elements of a tensor from `first`: the nearest level, halves upwards; out of
   * range and infinite values go to the first or last level, NaN to the table's symbol for it (spec 6.2).
   */
  quantize(table: LevelTable, values: Float32Array, first: number, symbols: Symbols): void;

  /** The values that `symbols` stand for, which are the elements of a tensor from `first`. */
  dequantize(table: LevelTable, symbols: Symbols, first: number, values: Float32Array): void;

  /** Lays the channels of a tensor of bytes side by side. */
  tile(symbols: Uint8Array, tiling: Tiling, plane: Uint8Array): void;

  /** Takes them apart again. */
  untile(plane: Uint8Array, tiling: Tiling, symbols: Uint8Array): void;

  /**
   * Replaces symbols by what a table has for them.
   * @param table 1 to 256 entries
   * @param symbols below 256; those that the table has no entry for become 0
   */
  lookUp(table: Uint8Array, symbols: Symbols, target: Symbols): void;

  /**
   * Packs symbols below 2^bits, 1 to 16 bits each, least significant bit first, into `target` from `offset`; the last
   * byte is padded with 0 (spec 6.2). More than 8 bits are packed plainly by both kinds.
   */
  packBits(symbols: Symbols, bits: number, target: Uint8Array, offset: number): void;

  /** Reads symbols back, as many as `symbols` holds; the padding is ignored. */
  unpackBits(source: Uint8Array, offset: number, bits: number, symbols: Symbols): void;

  /**
   * `unpackBits` and `dequantize` in one, for symbols of at most 8 bits that nobody else wants to see: the elements from
   * `first` to `end` of a tensor's values become what the packed symbols stand for.
   * @param bits 1 to 8, the levels of the table at most 2^8
   */
  unpackValues(
    table: LevelTable,
    source: Uint8Array,
    offset: number,
    bits: number,
    values: Float32Array,
    first: number,
    end: number,
  ): void;

  /**
   * Sums of `values` in float64, element i in partial sum i mod 8. Sums of non-finite values are not finite, and then
   * the other results mean nothing.
   */
  sums(values: Float32Array): BlockSums;
}

/** What is known of a block of values. */
export interface BlockSums {
  readonly sum: number;
  /** Sum of squared differences from sum / count; 0 of nothing. */
  readonly squares: number;
  /** Infinity and -Infinity of nothing; never -0. */
  readonly minimum: number;
  readonly maximum: number;
}

/** Values that {@link TensorKernels.sums} takes at once. */
export const blockElements = 32768;
