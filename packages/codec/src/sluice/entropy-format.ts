import { frequencyBits, frequencyRows, frequencySymbols } from "./frequency-table.js";

/**
 * How coefficients become intervals (spec 6.11). A coefficient's distribution has a row of the table; its magnitude is one
 * of the row's symbols, the last of which stands for all larger ones: behind it come four bits with the length of the
 * rest, and the rest. Rows beyond the table leave low bits of the magnitude, which follow as they are. A sign follows
 * where there is one. An interval is `start << 16 | frequency`, in 1/32,768.
 */
export const total = 1 << frequencyBits;

/** A state of the coder lies within it and 256 times it, exclusive; the one before the first interval is this. */
export const lowestState = 1 << 23;
export const stateBytes = 4;

/** The symbol of all larger magnitudes. */
export const escapeSymbol = frequencySymbols - 1;

export const rowCount = frequencyRows.length;

/** The most low bits of a magnitude that are written as they are. */
export const maxPlainBits = 12;

/** The largest magnitude that can be written whatever the row; larger ones become it. */
export const maxMagnitude = 32767;

/** For each row and symbol: its interval, and the bits that this takes. */
export const intervals = new Uint32Array(rowCount * frequencySymbols);
export const intervalBits = new Float32Array(rowCount * frequencySymbols);
for (const [row, frequencies] of frequencyRows.entries()) {
  let start = 0;
  for (const [symbol, frequency] of frequencies.entries()) {
    intervals[row * frequencySymbols + symbol] = ((start << 16) | frequency) >>> 0;
    intervalBits[row * frequencySymbols + symbol] = frequencyBits - Math.log2(frequency);
    start += frequency;
  }
}

/** Low bits that a row leaves to be written as they are. */
export function plainBitsOfRow(row: number): number {
  return row < rowCount ? 0 : Math.min(maxPlainBits, Math.ceil((row - rowCount + 1) / 8));
}

/** Where the symbols of a row begin in {@link intervals}, less its plain bits. */
export function firstEntry(row: number, plainBits: number): number {
  return Math.min(row - 8 * plainBits, rowCount - 1) * frequencySymbols;
}
