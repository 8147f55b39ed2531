import { inverseStep, type LevelTable, nanSymbolOf, type Symbols, symbolOf } from "./level-table.js";

/** See TensorKernels.quantize. */
export function quantize(table: LevelTable, values: Float32Array, first: number, symbols: Symbols): void {
  const { low } = table;
  const last = table.levels - 1;
  const { channels, stride } = table.axis;
  let channel = Math.floor(first / stride) % channels;
  let runEnd = stride - (first % stride);
  for (let i = 0; i < values.length; ) {
    const end = Math.min(runEnd, values.length);
    const start = low[channel]!;
    const inverse = inverseStep(table, channel);
    const nan = nanSymbolOf(table, channel);
    for (; i < end; i++) {
      symbols[i] = symbolOf((values[i]! - start) * inverse + 0.5, last, nan);
    }
    runEnd += stride;
    channel = channel + 1 === channels ? 0 : channel + 1;
  }
}

/** See TensorKernels.dequantize. */
export function dequantize(table: LevelTable, symbols: Symbols, first: number, values: Float32Array): void {
  const { low, step } = table;
  const { channels, stride } = table.axis;
  let channel = Math.floor(first / stride) % channels;
  let runEnd = stride - (first % stride);
  for (let i = 0; i < values.length; ) {
    const end = Math.min(runEnd, values.length);
    const start = low[channel]!;
    const width = step[channel]!;
    for (; i < end; i++) values[i] = start + symbols[i]! * width;
    runEnd += stride;
    channel = channel + 1 === channels ? 0 : channel + 1;
  }
}
