import { TensorError } from "@sluice/tensor";

/**
 * Codes coefficients of known distributions by range asymmetric numeral systems with bytes as digits (rANS: Duda, arXiv
 * 1311.2540). Those are last in, first out: an encoder lists the intervals of what it has to say, which `encode` writes
 * from the last to the first, so that `decode` reads them from the first to the last. Both kinds give the same bytes.
 */
export interface EntropyKernel {
  /** `simd` runs in WebAssembly, `plain` in JavaScript. */
  readonly kind: "simd" | "plain";
  /**
   * Lists the intervals of coefficients anew.
   * @param coefficients those of the spans, one span behind the other
   * @param spans for each: the index in `rows` of its first coefficient's row, and how many coefficients it has
   * @param rows of distributions, each 0 or more
   */
  list(coefficients: Int32Array, spans: Uint32Array, rows: Int32Array, target: IntervalList): void;
  /** Payload of the spans from `first` to `end`, exclusive, behind `head` bytes that are 0. */
  encode(list: IntervalList, first: number, end: number, head: number): Uint8Array;
  /**
   * Reads the coefficients of a payload that is not trusted, from `head` on.
   * @param coefficients filled if the payload is sound, else left in any state
   * @returns whether the payload had them all and nothing else
   */
  decode(
    payload: Uint8Array,
    head: number,
    spans: Uint32Array,
    rows: Int32Array,
    coefficients: Int32Array,
  ): boolean;
}

/** Intervals of spans of coefficients. */
export interface IntervalList {
  /** Grows to the most there have been. */
  intervals: Uint32Array;
  /** Of each span, and behind the last one: how many intervals there are before it, and how many bits they take. */
  readonly starts: Uint32Array;
  readonly bits: Float64Array;
}

export function createIntervalList(spans: number): IntervalList {
  return {
    intervals: new Uint32Array(1024),
    starts: new Uint32Array(spans + 1),
    bits: new Float64Array(spans + 1),
  };
}

/** A coefficient takes at most so many intervals. */
export const maxIntervals = 5;

/** Makes room for so many intervals, and keeps those that are there. */
export function growIntervals(list: IntervalList, count: number): void {
  if (list.intervals.length >= count) return;
  const grown = new Uint32Array(Math.max(count, 2 * list.intervals.length));
  grown.set(list.intervals);
  list.intervals = grown;
}

/**
 * Checks spans against the arrays that they are of.
 * @returns how many coefficients they have
 * @throws TensorError naming `spans` or `coefficients`
 */
export function checkSpans(spans: Uint32Array, rows: Int32Array, coefficients: Int32Array): number {
  let sum = 0;
  for (let at = 0; at < spans.length; at += 2) {
    const count = spans[at + 1]!;
    if (spans[at]! + count > rows.length) {
      throw new TensorError("spans", `span ${at / 2} goes beyond the ${rows.length} rows`);
    }
    sum += count;
  }
  if (sum > coefficients.length) {
    throw new TensorError("coefficients", `${coefficients.length}, the spans have ${sum}`);
  }
  return sum;
}
