import { maxFecRows } from "../limits.js";
import { divide, logarithms, powers } from "./galois-field.js";

/**
 * What the source at `position` counts for in the parity symbol `row`; both 0 to 127 (spec 5.8).
 *
 * 1 / ((128 + row) ^ position) is a Cauchy matrix: every square part of it is invertible, so any e symbols make up for
 * any e sources, and a row does not depend on how many others there are (Blömer et al., "An XOR-based erasure-resilient
 * coding scheme", 1995). Its columns are scaled, which changes neither, so that row 0 is all ones: plain XOR.
 */
export function coefficient(row: number, position: number): number {
  return divide(maxFecRows ^ position, (maxFecRows + row) ^ position);
}

/**
 * The inverse of the square matrix of {@link coefficient}, row by row: entry (i, j) says what symbol `rows[j]` counts
 * for in the source `positions[i]`. By the closed form for Cauchy matrices (Knuth, "The Art of Computer Programming"
 * 1, 1.2.3, exercise 41), in as many steps as there are entries.
 * @param rows distinct, and as many as positions, which are distinct too
 */
export function invert(rows: readonly number[], positions: readonly number[]): Uint8Array {
  const size = rows.length;
  const ofRow = rows.map((row, j) => {
    let exponent = 0;
    for (const position of positions) exponent += logarithms[(maxFecRows + row) ^ position]!;
    for (let k = 0; k < size; k++) if (k !== j) exponent -= logarithms[row ^ rows[k]!]!;
    return exponent;
  });
  const ofPosition = positions.map((position, i) => {
    let exponent = -logarithms[maxFecRows ^ position]!;
    for (const row of rows) exponent += logarithms[(maxFecRows + row) ^ position]!;
    for (let k = 0; k < size; k++) if (k !== i) exponent -= logarithms[position ^ positions[k]!]!;
    return exponent;
  });
  const inverse = new Uint8Array(size * size);
  for (let i = 0; i < size; i++) {
    for (let j = 0; j < size; j++) {
      const exponent = ofPosition[i]! + ofRow[j]! - logarithms[(maxFecRows + rows[j]!) ^ positions[i]!]!;
      inverse[i * size + j] = powers[((exponent % 255) + 255) % 255]!;
    }
  }
  return inverse;
}
