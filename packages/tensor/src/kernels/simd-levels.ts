import type { ChannelAxis } from "../channel-axis.js";
import { inverseStep, type LevelTable, nanSymbolOf } from "./level-table.js";
import {
  levelsAt,
  lowsAt,
  maxParameters,
  maxWrittenLevels,
  nansAt,
  repeatedParameters,
  type SimdMemory,
  scalesAt,
  symbolsAt,
  valuesAt,
} from "./simd-memory.js";

/** Elements of one step of `dequantizeLevels8`. */
const fewestLookedUp = 16;
/** Below this, elements of a channel that lie together do not pay for a call of their own. */
const shortestRun = 64;
const endless = 0x7fffffff;

/** How a table's parameters lie in the memory. */
type Arrangement = "runs" | "interleaved";

/** `undefined` where a table has too many channels for the memory. */
export function arrangementOf({ axis: { channels, stride } }: LevelTable): Arrangement | undefined {
  if (channels === 1 || stride >= shortestRun) return channels <= maxParameters ? "runs" : undefined;
  return channels * stride <= maxParameters ? "interleaved" : undefined;
}

/** Channel of an element, elements of it from there on, and elements of each further channel. */
function runAt({ channels, stride }: ChannelAxis, element: number) {
  if (channels === 1) return { channel: 0, left: endless, stride: endless };
  return {
    channel: Math.floor(element / stride) % channels,
    left: stride - (element % stride),
    stride,
  };
}

/**
 * Writes a table's parameters to the memory: the lowest level, and the factor from a value to its symbol (`inverse`)
 * or from a symbol to its value.
 */
export function writeTable(
  memory: SimdMemory,
  table: LevelTable,
  arrangement: Arrangement,
  isInverse: boolean,
): void {
  const { channels, stride } = table.axis;
  const { lows, scales, nans } = memory;
  const repeat = arrangement === "runs" ? 1 : stride;
  const count = channels * repeat;
  for (let channel = 0, at = 0; channel < channels; channel++) {
    const low = table.low[channel]!;
    const scale = isInverse ? inverseStep(table, channel) : table.step[channel]!;
    const nan = nanSymbolOf(table, channel);
    for (const end = at + repeat; at < end; at++) {
      lows[at] = low;
      scales[at] = scale;
      nans[at] = nan;
    }
  }
  if (arrangement === "runs") return;
  for (let i = 0; i < repeatedParameters; i++) {
    lows[count + i] = lows[i % count]!;
    scales[count + i] = scales[i % count]!;
    nans[count + i] = nans[i % count]!;
  }
}

/** Symbols, at `symbolsAt`, of `count` values at `valuesAt`, which are the tensor's elements from `first`. */
export function quantizeBlock(
  { exports }: SimdMemory,
  { levels, axis }: LevelTable,
  arrangement: Arrangement,
  first: number,
  count: number,
  symbolBytes: 1 | 2,
): void {
  const isBytes = symbolBytes === 1;
  const last = levels - 1;
  if (arrangement === "runs") {
    const { channel, left, stride } = runAt(axis, first);
    const quantize = isBytes ? exports.quantizeRuns8 : exports.quantizeRuns16;
    const { channels } = axis;
    quantize(valuesAt, symbolsAt, count, channel, left, stride, channels, lowsAt, scalesAt, nansAt, last);
  } else {
    const period = axis.channels * axis.stride;
    const quantize = isBytes ? exports.quantizeInterleaved8 : exports.quantizeInterleaved16;
    quantize(valuesAt, symbolsAt, count, first % period, period, lowsAt, scalesAt, nansAt, last);
  }
}

/** Values, at `valuesAt`, of `count` symbols at `symbolsAt`, which are those of the elements from `first`. */
export function dequantizeBlock(
  { exports }: SimdMemory,
  { axis }: LevelTable,
  arrangement: Arrangement,
  first: number,
  count: number,
  symbolBytes: 1 | 2,
): void {
  const isBytes = symbolBytes === 1;
  if (arrangement === "runs") {
    const { channel, left, stride } = runAt(axis, first);
    const dequantize = isBytes ? exports.dequantizeRuns8 : exports.dequantizeRuns16;
    dequantize(symbolsAt, valuesAt, count, channel, left, stride, axis.channels, lowsAt, scalesAt);
  } else {
    const period = axis.channels * axis.stride;
    const dequantize = isBytes ? exports.dequantizeInterleaved8 : exports.dequantizeInterleaved16;
    dequantize(symbolsAt, valuesAt, count, first % period, period, lowsAt, scalesAt);
  }
}

/**
 * The same for bytes, by looking up what the levels are, which takes half the time.
 * @returns whether it was done: not where there are several channels, many levels or few elements, nor where a symbol is
 *   none of the levels
 */
export function lookUpBlock(
  memory: SimdMemory,
  { levels, axis, low, step }: LevelTable,
  count: number,
): boolean {
  if (levels > maxWrittenLevels || axis.channels !== 1 || count < fewestLookedUp) return false;
  memory.setLevels(low[0]!, step[0]!);
  return memory.exports.dequantizeLevels8(symbolsAt, valuesAt, count, levelsAt) !== 0;
}
