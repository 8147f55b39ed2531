import type { ChannelAxis } from "../channel-axis.js";
import { TensorError } from "../tensor.js";

/** Uniform levels of each channel of a tensor (or of all as one): symbol q stands for `low + q * step` (spec 6.2). */
export interface LevelTable {
  /** 2 to 65,536. */
  readonly levels: number;
  readonly axis: ChannelAxis;
  /** For each channel, finite: the lowest level, and from one level to the next (0: only one value). */
  readonly low: Float32Array;
  readonly step: Float32Array;
  /** For each channel: what NaN becomes, below `levels`. Where the step is 0 it becomes 0 whatever stands here. */
  readonly nanSymbol: Uint16Array;
}

/** Symbols of a tensor's elements. Bytes hold up to 256 levels. */
export type Symbols = Uint8Array | Uint16Array;

/** The most levels whose symbols are bytes. */
export const maxByteLevels = 256;

/**
 * Checks that a table and the arrays that it is used on belong together.
 * @param first index in the tensor of the first element
 * @throws TensorError naming the table's field, `symbols`, or `first`
 */
export function checkTable(table: LevelTable, symbols: Symbols, count: number, first: number): void {
  const { levels, axis, low, step, nanSymbol } = table;
  if (low.length !== axis.channels || step.length !== axis.channels || nanSymbol.length !== axis.channels) {
    throw new TensorError(
      "table",
      `low, step and nanSymbol have ${low.length}, ${step.length} and ${nanSymbol.length} channels, the axis ${axis.channels}`,
    );
  }
  if (symbols.length < count)
    throw new TensorError("symbols", `${symbols.length}, must be at least ${count}`);
  if (symbols instanceof Uint8Array && levels > maxByteLevels) {
    throw new TensorError("symbols", `bytes cannot hold ${levels} levels`);
  }
  if (!Number.isInteger(first) || first < 0) throw new TensorError("first", `not an index: ${first}`);
}

/** What a channel's symbols are computed with. */
export function inverseStep(table: LevelTable, channel: number): number {
  return table.step[channel]! > 0 ? 1 / table.step[channel]! : 0;
}

/** See {@link LevelTable.nanSymbol}. */
export function nanSymbolOf(table: LevelTable, channel: number): number {
  return table.step[channel]! > 0 ? table.nanSymbol[channel]! : 0;
}

/** Levels within this are converted to integers without a loss. */
const largestInteger = 2 ** 30;

/**
 * The symbol of `level` = (value - low) * inverse + 0.5: its integer part, bounded to 0..last, without a jump that
 * depends on an ordinary value: real tensors make a processor guess wrong at every other one.
 */
export function symbolOf(level: number, last: number, nan: number): number {
  if (level > -largestInteger && level < largestInteger) {
    const symbol = level | 0;
    const positive = symbol & ~(symbol >> 31);
    const over = positive - last;
    return last + (over & (over >> 31));
  }
  if (level >= 1) return last;
  return level < 1 ? 0 : nan;
}
