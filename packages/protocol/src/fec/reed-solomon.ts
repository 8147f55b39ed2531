/**
 * Systematic Reed-Solomon over GF(2^8) with a Cauchy matrix (Blömer et al., "An XOR-based erasure-resilient coding
 * scheme", 1995): any k of k sources and their symbols give the sources back. The columns are scaled so that row 0 is
 * all ones: one symbol is plain XOR (spec 5.8).
 */
import { maxFecRows } from "../limits.js";
import type { ErasureCode } from "./erasure-code.js";

/** x^8 + x^4 + x^3 + x^2 + 1; 2 generates the field. */
const polynomial = 0x11d;
const exp = new Uint8Array(510);
const log = new Uint8Array(256);
for (let i = 0, value = 1; i < 255; i++) {
  exp[i] = value;
  exp[i + 255] = value;
  log[value] = i;
  value <<= 1;
  if (value > 255) value ^= polynomial;
}

function multiply(a: number, b: number): number {
  return a === 0 || b === 0 ? 0 : exp[log[a]! + log[b]!]!;
}

function divide(a: number, b: number): number {
  return a === 0 ? 0 : exp[log[a]! + 255 - log[b]!]!;
}

/** What the source at `position` counts for in the symbol `row`; both 0 to 127. */
export function coefficient(row: number, position: number): number {
  return divide(maxFecRows ^ position, (maxFecRows + row) ^ position);
}

function productsOf(factor: number): Uint8Array {
  return Uint8Array.from({ length: 256 }, (_, value) => multiply(factor, value));
}

/** target += factor * source */
function addScaled(target: Uint8Array, factor: number, source: Uint8Array): void {
  if (factor === 0) return;
  const products = productsOf(factor);
  for (let i = 0; i < source.length; i++) target[i]! ^= products[source[i]!]!;
}

function scale(target: Uint8Array, factor: number): void {
  if (factor === 1) return;
  const products = productsOf(factor);
  for (let i = 0; i < target.length; i++) target[i] = products[target[i]!]!;
}

/** Turns `matrix` into the unit matrix and `values` with it (Gauss-Jordan). */
function solveLinear(matrix: Uint8Array[], values: Uint8Array[]): void {
  for (let column = 0; column < matrix.length; column++) {
    const pivot = matrix.findIndex((row, i) => i >= column && row[column] !== 0);
    [matrix[column], matrix[pivot]] = [matrix[pivot]!, matrix[column]!];
    [values[column], values[pivot]] = [values[pivot]!, values[column]!];
    const inverse = divide(1, matrix[column]![column]!);
    for (const list of [matrix, values]) scale(list[column]!, inverse);
    for (let other = 0; other < matrix.length; other++) {
      if (other === column) continue;
      const factor = matrix[other]![column]!;
      addScaled(matrix[other]!, factor, matrix[column]!);
      addScaled(values[other]!, factor, values[column]!);
    }
  }
}

export const reedSolomon: ErasureCode = {
  encode: (sources, rows, symbolBytes) =>
    rows.map((row) => {
      const symbol = new Uint8Array(symbolBytes);
      for (const [position, source] of sources.entries())
        addScaled(symbol, coefficient(row, position), source);
      return symbol;
    }),

  recover(sources, parity, symbolBytes) {
    const missing: number[] = [];
    for (const [position, source] of sources.entries()) if (!source) missing.push(position);
    const used = parity.slice(0, missing.length);
    const values = used.map(({ row, symbol }) => {
      const value = new Uint8Array(symbolBytes);
      value.set(symbol);
      for (const [position, source] of sources.entries())
        if (source) addScaled(value, coefficient(row, position), source);
      return value;
    });
    const matrix = used.map(({ row }) => Uint8Array.from(missing, (position) => coefficient(row, position)));
    solveLinear(matrix, values);
    return values;
  },
};
