import { maxFecRows, maxFecSources } from "../limits.js";
import { coefficient, invert } from "./cauchy-matrix.js";
import type { ErasureCode } from "./erasure-code.js";
import { plainCombiner } from "./plain-combiner.js";
import { createSimdCombiner } from "./simd-combiner.js";
import type { SymbolCombiner } from "./symbol-combiner.js";

/** The longest symbol, whose length two bytes hold. */
const maxSymbolBytes = 65535;

/** Thrown when what is to be encoded or recovered does not fit together; `field` names the culprit. */
export class FecError extends Error {
  override readonly name = "FecError";
  constructor(
    readonly field: "sources" | "rows" | "parity" | "symbolBytes",
    message: string,
  ) {
    super(`${field}: ${message}`);
  }
}

function checkSymbolBytes(symbolBytes: number): void {
  if (!Number.isInteger(symbolBytes) || symbolBytes < 0 || symbolBytes > maxSymbolBytes) {
    throw new FecError("symbolBytes", `must be an integer from 0 to ${maxSymbolBytes}, got ${symbolBytes}`);
  }
}

function checkSources(sources: readonly (Uint8Array | undefined)[], symbolBytes: number): void {
  if (sources.length > maxFecSources) {
    throw new FecError("sources", `${sources.length}, at most ${maxFecSources} are allowed`);
  }
  for (const source of sources) {
    if (source !== undefined && source.length > symbolBytes) {
      throw new FecError("sources", `one has ${source.length} bytes, a symbol ${symbolBytes}`);
    }
  }
}

function checkRows(rows: readonly number[], field: "rows" | "parity"): void {
  for (const row of rows) {
    if (!Number.isInteger(row) || row < 0 || row >= maxFecRows) {
      throw new FecError(field, `rows are integers from 0 to ${maxFecRows - 1}, got ${row}`);
    }
  }
  if (new Set(rows).size !== rows.length) throw new FecError(field, "a row is given twice");
}

/** Rows of coefficients for the sources at `positions`, one after another. */
function coefficientsOf(rows: readonly number[], positions: readonly number[]): Uint8Array {
  const factors = new Uint8Array(rows.length * positions.length);
  let at = 0;
  for (const row of rows) for (const position of positions) factors[at++] = coefficient(row, position);
  return factors;
}

/** Symbols of zeros, in one buffer: many small ones would cost more than the arithmetic. */
function createSymbols(count: number, symbolBytes: number): Uint8Array[] {
  const all = new Uint8Array(count * symbolBytes);
  return Array.from({ length: count }, (_, i) => all.subarray(i * symbolBytes, (i + 1) * symbolBytes));
}

/**
 * Systematic Reed-Solomon over GF(2^8) with a Cauchy matrix (spec 5.8): any e parity symbols give back any e sources.
 * @param combinerOf gives what does the arithmetic on symbols; asked only when there is some to do
 */
export function createReedSolomon(combinerOf: () => SymbolCombiner): ErasureCode {
  return {
    encode(sources, rows, symbolBytes) {
      checkSymbolBytes(symbolBytes);
      checkSources(sources, symbolBytes);
      checkRows(rows, "rows");
      const symbols = createSymbols(rows.length, symbolBytes);
      combinerOf().combine(coefficientsOf(rows, [...sources.keys()]), sources, symbols);
      return symbols;
    },

    recover(sources, parity, symbolBytes) {
      checkSymbolBytes(symbolBytes);
      checkSources(sources, symbolBytes);
      const missing: number[] = [];
      const present: number[] = [];
      for (const [position, source] of sources.entries()) {
        (source === undefined ? missing : present).push(position);
      }
      if (missing.length === 0) return [];
      if (parity.length < missing.length) {
        throw new FecError("parity", `${parity.length} symbols for ${missing.length} missing sources`);
      }
      const used = parity.slice(0, missing.length);
      const rows = used.map(({ row }) => row);
      checkRows(rows, "parity");
      // What the symbols would be of the missing sources alone ...
      const rests = createSymbols(used.length, symbolBytes);
      for (const [i, { symbol }] of used.entries()) {
        if (symbol.length !== symbolBytes) {
          throw new FecError("parity", `a symbol of ${symbol.length} bytes, must be ${symbolBytes}`);
        }
        rests[i]!.set(symbol);
      }
      const held = present.map((position) => sources[position]!);
      combinerOf().combine(coefficientsOf(rows, present), held, rests);
      // ... and the sources that they are the symbols of.
      const recovered = createSymbols(missing.length, symbolBytes);
      combinerOf().combine(invert(rows, missing), rests, recovered);
      return recovered;
    },
  };
}

let combiner: SymbolCombiner | undefined;

/** Made when first needed, and shared by all users in this thread. */
function fastestCombiner(): SymbolCombiner {
  combiner ??= createSimdCombiner() ?? plainCombiner;
  return combiner;
}

/** {@link createReedSolomon} with the fastest arithmetic that this machine can run. */
export const reedSolomon: ErasureCode = createReedSolomon(fastestCombiner);
