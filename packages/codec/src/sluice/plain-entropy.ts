import {
  escapeSymbol,
  firstEntry,
  intervalBits,
  intervals,
  lowestState,
  maxMagnitude,
  plainBitsOfRow,
  rowCount,
  stateBytes,
  total,
} from "./entropy-format.js";
import {
  checkSpans,
  type EntropyKernel,
  growIntervals,
  type IntervalList,
  maxIntervals,
} from "./entropy-kernel.js";
import { frequencyBits, frequencySymbols } from "./frequency-table.js";

/** Adds intervals to a list that has room for them. */
function createListWriter(target: IntervalList) {
  let length = 0;
  let bits = 0;

  function entry(at: number): void {
    target.intervals[length++] = intervals[at]!;
    bits += intervalBits[at]!;
  }

  /** @param value below 2^width */
  function plain(value: number, width: number): void {
    if (width === 0) return;
    const frequency = total >>> width;
    target.intervals[length++] = ((value * frequency) << 16) | frequency;
    bits += width;
  }

  function large(magnitude: number, row: number): void {
    const width = plainBitsOfRow(row);
    const high = magnitude >>> width;
    entry(firstEntry(row, width) + Math.min(high, escapeSymbol));
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
    add(coefficient: number, row: number): void {
      const magnitude = Math.min(Math.abs(coefficient), maxMagnitude);
      if (row < rowCount && magnitude < escapeSymbol) entry(row * frequencySymbols + magnitude);
      else large(magnitude, row);
      if (magnitude !== 0) plain(coefficient < 0 ? 1 : 0, 1);
    },
  };
}

/** Reads what {@link EntropyKernel.encode} wrote. */
function createReader(payload: Uint8Array, head: number) {
  let at = head + stateBytes;
  let state = 0;
  for (let i = head; i < at; i++) state = state * 256 + payload[i]!;

  /** Takes digits until the state is whole. Behind the end they are 1: whatever is read then is thrown away. */
  function refill(next: number): void {
    let whole = next;
    while (whole < lowestState) {
      whole = (whole << 8) | (at < payload.length ? payload[at]! : 1);
      at++;
    }
    state = whole;
  }

  function plain(width: number): number {
    if (width === 0) return 0;
    const shift = frequencyBits - width;
    const slot = state & (total - 1);
    refill(((state >>> frequencyBits) << shift) + (slot & ((1 << shift) - 1)));
    return slot >>> shift;
  }

  /** @param first entry of the symbol's row */
  function symbol(first: number): number {
    let rest = state & (total - 1);
    let entry = first;
    let frequency = intervals[entry]! & 0xffff;
    while (rest >= frequency) {
      rest -= frequency;
      frequency = intervals[++entry]! & 0xffff;
    }
    refill(frequency * (state >>> frequencyBits) + rest);
    return entry - first;
  }

  function large(high: number, width: number): number {
    let magnitude = high;
    if (high === escapeSymbol) {
      const restBits = plain(4);
      magnitude = escapeSymbol - 1 + (1 << restBits) + plain(restBits);
    }
    return magnitude * (1 << width) + plain(width);
  }

  return {
    /** Whether the state is one that an encoder can have come to. */
    isSane: () => state >= lowestState && state < 256 * lowestState,
    isBeyondEnd: () => at > payload.length,
    isAtEnd: () => at === payload.length && state === lowestState,
    read(row: number): number {
      const width = plainBitsOfRow(row);
      let magnitude = symbol(firstEntry(row, width));
      if (width > 0 || magnitude === escapeSymbol) magnitude = large(magnitude, width);
      return magnitude !== 0 && plain(1) === 1 ? -magnitude : magnitude;
    },
  };
}

/** In JavaScript: where there is no WebAssembly, and to test the other one against. */
export const plainEntropy: EntropyKernel = {
  kind: "plain",

  list(coefficients, spans, rows, target) {
    checkSpans(spans, rows, coefficients);
    const writer = createListWriter(target);
    let at = 0;
    for (let span = 0; 2 * span < spans.length; span++) {
      target.starts[span] = writer.length();
      target.bits[span] = writer.bits();
      const row = spans[2 * span]!;
      const count = spans[2 * span + 1]!;
      growIntervals(target, writer.length() + maxIntervals * count);
      for (let i = 0; i < count; i++) writer.add(coefficients[at++]!, rows[row + i]!);
    }
    target.starts[spans.length / 2] = writer.length();
    target.bits[spans.length / 2] = writer.bits();
  },

  encode({ intervals: list, starts }, first, end, head) {
    const from = starts[first]!;
    const to = starts[end]!;
    // An interval takes at most 15 bits.
    const most = head + stateBytes + 2 * (to - from);
    const output = new Uint8Array(most);
    let at = most;
    let state = lowestState;
    for (let i = to - 1; i >= from; i--) {
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
    return output.slice(at - head);
  },

  decode(payload, head, spans, rows, coefficients) {
    checkSpans(spans, rows, coefficients);
    if (payload.length < head + stateBytes) return false;
    const reader = createReader(payload, head);
    if (!reader.isSane()) return false;
    let at = 0;
    for (let span = 0; span < spans.length; span += 2) {
      const row = spans[span]!;
      const count = spans[span + 1]!;
      for (let i = 0; i < count; i++) coefficients[at++] = reader.read(rows[row + i]!);
      if (reader.isBeyondEnd()) return false;
    }
    return reader.isAtEnd();
  },
};
