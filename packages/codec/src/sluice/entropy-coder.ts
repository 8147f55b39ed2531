import { frequencyBits, frequencyRows, frequencySymbols } from "./frequency-table.js";

/**
 * Range variant of asymmetric numeral systems (rANS: Duda, arXiv 1311.2540) with bytes as its digits, and what it codes:
 * coefficients of known distributions (spec 6.11). It is last in, first out: an encoder collects what it wants to say as
 * intervals, `start << 16 | frequency` in 1/32,768, and {@link encodeIntervals} writes them from the last to the first, so
 * that {@link createCoefficientReader} reads them from the first to the last.
 */
const total = 1 << frequencyBits;

/** A state lies within it and 256 times it, exclusive; the one before the first interval is written is this. */
const lowestState = 1 << 23;
const stateBytes = 4;

/** Magnitudes from here on take the row's last symbol, four bits with the length of the rest, and the rest. */
const escapeSymbol = frequencySymbols - 1;
const maxRestBits = 15;

export const rowCount = frequencyRows.length;

/** The most low bits of a magnitude that are written as they are, behind the row of the rest. */
export const maxPlainBits = 12;

/** The largest magnitude that can be written whatever the row. */
export const maxMagnitude = (1 << maxRestBits) - 1;

/** For each row and symbol. */
const intervals = new Uint32Array(rowCount * frequencySymbols);
for (const [row, frequencies] of frequencyRows.entries()) {
  let start = 0;
  for (const [symbol, frequency] of frequencies.entries()) {
    intervals[row * frequencySymbols + symbol] = ((start << 16) | frequency) >>> 0;
    start += frequency;
  }
}

/** Bits that an interval takes, for each frequency. */
const bitsOfFrequency = Float32Array.from({ length: total + 1 }, (_, frequency) =>
  frequency === 0 ? 0 : frequencyBits - Math.log2(frequency),
);

/** Bits of a magnitude of a row's distribution: its symbol, for the last one an average rest, and the sign. */
export function bitsOfSymbol(row: number, symbol: number): number {
  const bits = frequencyBits - Math.log2(frequencyRows[row]![symbol]!);
  return bits + (symbol > 0 ? 1 : 0) + (symbol === escapeSymbol ? 6 : 0);
}

/** Where a coefficient of a distribution `row` looks: rows beyond the last one leave low bits to be written plainly. */
export function plainBitsOfRow(row: number): number {
  return row < rowCount ? 0 : Math.min(maxPlainBits, Math.ceil((row - rowCount + 1) / 8));
}

/** Intervals of coefficients, one after the other. */
export interface IntervalList {
  /** How many there are. */
  length(): number;
  /** Bits that they take together, about. */
  bits(): number;
  clear(): void;
  /**
   * Adds coefficients in order.
   * @param rows for each: the row of its distribution, 0 or more
   */
  add(coefficients: Int32Array, first: number, end: number, rows: Int32Array, firstRow: number): void;
  /** Payload of the intervals `first` to `end`, exclusive, behind `head` bytes that are left open. */
  encode(first: number, end: number, head: number): Uint8Array;
}

export function createIntervalList(): IntervalList {
  let list = new Uint32Array(1024);
  let output = new Uint8Array(1024);
  let length = 0;
  let bits = 0;

  /** @param value below 2^width */
  function plain(value: number, width: number): void {
    if (width === 0) return;
    const frequency = total >>> width;
    list[length++] = ((value * frequency) << 16) | frequency;
    bits += width;
  }

  function large(magnitude: number, row: number): void {
    const width = plainBitsOfRow(row);
    const high = magnitude >>> width;
    const from = (row - 8 * width < rowCount ? row - 8 * width : rowCount - 1) * frequencySymbols;
    const interval = intervals[from + Math.min(high, escapeSymbol)]!;
    list[length++] = interval;
    bits += bitsOfFrequency[interval & 0xffff]!;
    if (high >= escapeSymbol) {
      const rest = high - escapeSymbol + 1;
      const restBits = 31 - Math.clz32(rest);
      plain(restBits, 4);
      plain(rest - (1 << restBits), restBits);
    }
    plain(magnitude & ((1 << width) - 1), width);
  }

  return {
    length: () => length,
    bits: () => bits,
    clear() {
      length = 0;
      bits = 0;
    },
    add(coefficients, first, end, rows, firstRow) {
      // A coefficient takes at most five intervals.
      if (length + 5 * (end - first) > list.length) {
        const grown = new Uint32Array(2 * length + 5 * (end - first));
        grown.set(list.subarray(0, length));
        list = grown;
      }
      for (let i = first, at = firstRow; i < end; i++, at++) {
        const coefficient = coefficients[i]!;
        const magnitude = coefficient < 0 ? -coefficient : coefficient;
        const row = rows[at]!;
        if (row < rowCount && magnitude < escapeSymbol) {
          const interval = intervals[row * frequencySymbols + magnitude]!;
          list[length++] = interval;
          bits += bitsOfFrequency[interval & 0xffff]!;
        } else large(magnitude, row);
        if (magnitude !== 0) plain(coefficient < 0 ? 1 : 0, 1);
      }
    },
    encode(first, end, head) {
      // An interval takes at most 15 bits.
      const most = head + stateBytes + 2 * (end - first);
      if (output.length < most) output = new Uint8Array(most);
      let at = most;
      let state = lowestState;
      for (let i = end - 1; i >= first; i--) {
        const interval = list[i]!;
        const frequency = interval & 0xffff;
        const limit = frequency * 65536;
        while (state >= limit) {
          output[--at] = state;
          state >>>= 8;
        }
        const quotient = (state / frequency) | 0;
        state = quotient * total + (state - quotient * frequency) + (interval >>> 16);
      }
      for (let i = 0; i < stateBytes; i++) output[--at] = state >>> (8 * i);
      return output.slice(at - head, most);
    },
  };
}

/** Reads coefficients of a payload that is not trusted. */
export interface CoefficientReader {
  /**
   * Reads coefficients in order.
   * @returns false where the payload ends too early or says what cannot be
   */
  read(coefficients: Int32Array, first: number, end: number, rows: Int32Array, firstRow: number): boolean;
  /** Whether everything was read and ended as every encoder begins. */
  isAtEnd(): boolean;
}

/** @param head bytes before the first state */
export function createCoefficientReader(payload: Uint8Array, head: number): CoefficientReader {
  let at = head;
  let state = 0;
  let isBroken = payload.length < head + stateBytes;
  for (let i = 0; !isBroken && i < stateBytes; i++) state = (state << 8) | payload[at++]!;
  if (state < lowestState) isBroken = true;

  function advance(start: number, frequency: number): void {
    state = frequency * (state >>> frequencyBits) + (state & (total - 1)) - start;
    while (state < lowestState) {
      if (at >= payload.length) {
        isBroken = true;
        // Whatever is read from here on is thrown away.
        state = lowestState;
        return;
      }
      state = (state << 8) | payload[at++]!;
    }
  }

  function plain(width: number): number {
    if (width === 0) return 0;
    const shift = frequencyBits - width;
    const value = (state & (total - 1)) >>> shift;
    advance(value << shift, 1 << shift);
    return value;
  }

  function symbol(row: number): number {
    const slot = state & (total - 1);
    let entry = row * frequencySymbols;
    let interval = intervals[entry]!;
    while (slot >= (interval >>> 16) + (interval & 0xffff)) interval = intervals[++entry]!;
    advance(interval >>> 16, interval & 0xffff);
    return entry - row * frequencySymbols;
  }

  function large(row: number): number {
    const width = plainBitsOfRow(row);
    let high = symbol(row - 8 * width < rowCount ? row - 8 * width : rowCount - 1);
    if (high === escapeSymbol) {
      const restBits = plain(4);
      high = escapeSymbol - 1 + (1 << restBits) + plain(restBits);
    }
    return high * (1 << width) + plain(width);
  }

  return {
    read(coefficients, first, end, rows, firstRow) {
      for (let i = first, at = firstRow; i < end && !isBroken; i++, at++) {
        const row = rows[at]!;
        let magnitude = row < rowCount ? symbol(row) : escapeSymbol;
        if (magnitude === escapeSymbol) {
          if (row < rowCount) {
            const restBits = plain(4);
            magnitude = escapeSymbol - 1 + (1 << restBits) + plain(restBits);
          } else magnitude = large(row);
        }
        coefficients[i] = magnitude !== 0 && plain(1) === 1 ? -magnitude : magnitude;
      }
      return !isBroken;
    },
    isAtEnd: () => !isBroken && at === payload.length && state === lowestState,
  };
}
