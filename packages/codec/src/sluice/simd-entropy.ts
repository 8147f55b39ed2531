import { instantiate, reserve, type WasmMemory } from "@sluice/tensor";
import { kernelModule } from "../gen/kernel-module.js";
import { intervalBits, intervals, stateBytes } from "./entropy-format.js";
import {
  checkSpans,
  type EntropyKernel,
  growIntervals,
  type IntervalList,
  maxIntervals,
} from "./entropy-kernel.js";

/** What assembly/index.ts exports of entropy.ts. */
interface EntropyExports {
  readonly memory: WasmMemory;
  readonly list: (
    coefficients: number,
    spans: number,
    spanCount: number,
    rows: number,
    target: number,
    starts: number,
    startBefore: number,
    spanBits: number,
    bitsBefore: number,
  ) => number;
  readonly listEnd: () => number;
  readonly encode: (intervals: number, count: number, target: number) => number;
  readonly decode: (
    payload: number,
    payloadEnd: number,
    spans: number,
    spanCount: number,
    rows: number,
    coefficients: number,
  ) => number;
}

/** Where assembly/entropy.ts has its tables, and what is behind them. */
const intervalsAt = 0;
const bitsAt = 4096;
const freeAt = 8192;

/** Coefficients that are listed at once, where spans are not longer. */
const partCoefficients = 16384;

/**
 * In WebAssembly, in one instance for all streams of a thread: nothing is kept between calls. Its memory grows to the
 * longest call's. `undefined` where this machine cannot run it.
 */
export function createSimdEntropy(): EntropyKernel | undefined {
  const exports = instantiate<EntropyExports>(kernelModule);
  if (exports === undefined) return undefined;
  const { memory } = exports;

  /** Makes room for arrays of so many bytes each. @returns where they lie, each at a multiple of 8 */
  function place(...sizes: number[]): number[] {
    let end = freeAt;
    const places = sizes.map((bytes) => {
      const at = end;
      end = (at + bytes + 7) & ~7;
      return at;
    });
    reserve(memory, end);
    return places;
  }

  const words = (at: number, count: number) => new Uint32Array(memory.buffer, at, count);
  reserve(memory, freeAt);
  words(intervalsAt, intervals.length).set(intervals);
  new Float32Array(memory.buffer, bitsAt, intervalBits.length).set(intervalBits);

  /** Lists `spans`, whose coefficients are `part`, behind the intervals that are there. */
  function listPart(
    part: Int32Array,
    spans: Uint32Array,
    rows: Int32Array,
    target: IntervalList,
    span: number,
  ) {
    const count = spans.length / 2;
    const most = maxIntervals * part.length;
    const [coefficientsAt, spansAt, rowsAt, startsAt, spanBitsAt, targetAt] = place(
      ...[4 * part.length, 4 * spans.length, 4 * rows.length, 4 * count, 8 * count, 4 * most],
    ) as [number, number, number, number, number, number];
    words(coefficientsAt, part.length).set(part);
    words(spansAt, spans.length).set(spans);
    words(rowsAt, rows.length).set(rows);
    const before = target.starts[span]!;
    const bits = exports!.list(
      ...([coefficientsAt, spansAt, count, rowsAt, targetAt, startsAt, before, spanBitsAt] as const),
      target.bits[span]!,
    );
    const listed = (exports!.listEnd() - targetAt) / 4;
    growIntervals(target, before + listed);
    target.intervals.set(words(targetAt, listed), before);
    target.starts.set(words(startsAt, count), span);
    target.bits.set(new Float64Array(memory.buffer, spanBitsAt, count), span);
    target.starts[span + count] = before + listed;
    target.bits[span + count] = bits;
  }

  return {
    kind: "simd",

    list(coefficients, spans, rows, target) {
      checkSpans(spans, rows, coefficients);
      target.starts[0] = 0;
      target.bits[0] = 0;
      for (let span = 0, at = 0; 2 * span < spans.length; ) {
        let end = span + 1;
        let count = spans[2 * span + 1]!;
        while (2 * end < spans.length && count + spans[2 * end + 1]! <= partCoefficients) {
          count += spans[2 * end++ + 1]!;
        }
        listPart(
          coefficients.subarray(at, at + count),
          spans.subarray(2 * span, 2 * end),
          rows,
          target,
          span,
        );
        span = end;
        at += count;
      }
    },

    encode({ intervals: list, starts }, first, end, head) {
      const from = starts[first]!;
      const count = starts[end]! - from;
      // An interval takes at most 15 bits.
      const most = stateBytes + 2 * count;
      const [listAt, outputAt] = place(4 * count, most) as [number, number];
      words(listAt, count).set(list.subarray(from, from + count));
      const outputEnd = outputAt + most;
      const at = exports.encode(listAt, count, outputEnd);
      const payload = new Uint8Array(head + outputEnd - at);
      payload.set(new Uint8Array(memory.buffer, at, outputEnd - at), head);
      return payload;
    },

    decode(payload, head, spans, rows, coefficients) {
      const count = checkSpans(spans, rows, coefficients);
      const length = payload.length - head;
      if (length < stateBytes) return false;
      const [payloadAt, spansAt, rowsAt, coefficientsAt] = place(
        ...[length, 4 * spans.length, 4 * rows.length, 4 * count],
      ) as [number, number, number, number];
      new Uint8Array(memory.buffer, payloadAt, length).set(payload.subarray(head));
      words(spansAt, spans.length).set(spans);
      words(rowsAt, rows.length).set(rows);
      const spanCount = spans.length / 2;
      const isSound = exports.decode(
        ...([payloadAt, payloadAt + length, spansAt, spanCount, rowsAt, coefficientsAt] as const),
      );
      if (isSound === 0) return false;
      coefficients.set(new Int32Array(memory.buffer, coefficientsAt, count));
      return true;
    },
  };
}
