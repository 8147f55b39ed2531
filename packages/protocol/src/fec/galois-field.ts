/**
 * GF(2^8) as polynomials over GF(2) modulo x^8 + x^4 + x^3 + x^2 + 1 (0x11d), of which 2 generates all but 0: the field
 * of RFC 5510 8.1 and most Reed-Solomon codes. Addition is XOR.
 */
const polynomial = 0x11d;

/** Powers of 2, twice over, so that sums of two logarithms need no reduction. */
export const powers = new Uint8Array(510);
/** Exponent of each element but 0. */
export const logarithms = new Uint8Array(256);
for (let i = 0, value = 1; i < 255; i++) {
  powers[i] = value;
  powers[i + 255] = value;
  logarithms[value] = i;
  value <<= 1;
  if (value > 255) value ^= polynomial;
}

export function multiply(a: number, b: number): number {
  return a === 0 || b === 0 ? 0 : powers[logarithms[a]! + logarithms[b]!]!;
}

/** @param b not 0 */
export function divide(a: number, b: number): number {
  return a === 0 ? 0 : powers[logarithms[a]! + 255 - logarithms[b]!]!;
}
