import { kernelModule } from "../gen/kernel-module.js";
import { blockElements } from "./tensor-kernels.js";
import { instantiate, reserve, type WasmMemory } from "./webassembly.js";

type Runs = (
  source: number,
  target: number,
  count: number,
  channel: number,
  left: number,
  stride: number,
  channels: number,
  lows: number,
  scales: number,
  ...rest: number[]
) => void;

type Interleaved = (
  source: number,
  target: number,
  count: number,
  phase: number,
  period: number,
  lows: number,
  scales: number,
  ...rest: number[]
) => void;

type MoveTiles = (
  from: number,
  to: number,
  channel: number,
  channels: number,
  row: number,
  rows: number,
  height: number,
  width: number,
  columns: number,
) => void;

/** What assembly/index.ts exports. */
export interface KernelExports {
  readonly memory: WasmMemory;
  readonly quantizeRuns8: Runs;
  readonly quantizeRuns16: Runs;
  readonly quantizeInterleaved8: Interleaved;
  readonly quantizeInterleaved16: Interleaved;
  readonly dequantizeRuns8: Runs;
  readonly dequantizeRuns16: Runs;
  readonly dequantizeInterleaved8: Interleaved;
  readonly dequantizeInterleaved16: Interleaved;
  readonly writeLevels: (target: number, low: number, step: number) => void;
  /** 0 where a symbol is none of the levels that were written. */
  readonly dequantizeLevels8: (source: number, target: number, count: number, levels: number) => number;
  readonly tile: MoveTiles;
  readonly untile: MoveTiles;
  readonly lookUp: (table: number, entries: number, source: number, target: number, count: number) => void;
  readonly transpose: (source: number, target: number, rows: number, columns: number) => void;
  readonly packBits: (source: number, target: number, count: number, bits: number) => void;
  readonly unpackBits: (source: number, target: number, count: number, bits: number) => void;
  readonly sum: (source: number, count: number) => number;
  readonly squares: (source: number, count: number, mean: number) => number;
  readonly minimum: (source: number, count: number) => number;
  readonly maximum: (source: number, count: number) => number;
}

/** Sets of parameters that the memory holds. */
export const maxParameters = 4096;
/** An interleaved step reads this many parameters beyond its own. */
export const repeatedParameters = 15;

/** A step of the kernels may read or write this much beyond what it was asked for. */
const slackBytes = 64;
const parameters = maxParameters + repeatedParameters + 1;

/** Where things lie in the memory. */
export const lowsAt = 0;
export const scalesAt = lowsAt + parameters * 8;
export const nansAt = scalesAt + parameters * 8;
export const valuesAt = nansAt + parameters * 2;
export const symbolsAt = valuesAt + blockElements * 4 + slackBytes;
/** A second block of bytes, for what goes on from the first one. */
export const bytesAt = symbolsAt + blockElements * 2 + slackBytes;
/** The levels of one channel, byte by byte; see `writeLevels`. */
export const levelsAt = bytesAt + blockElements * 2 + slackBytes;
export const maxWrittenLevels = 32;
export const planeAt = levelsAt + maxWrittenLevels * 4;

/** The module's memory, seen as what lies in it. The plane's part is as large as the largest plane so far. */
export class SimdMemory {
  lows!: Float64Array;
  scales!: Float64Array;
  nans!: Uint16Array;
  values!: Float32Array;
  symbols8!: Uint8Array;
  symbols16!: Uint16Array;
  bytes!: Uint8Array;
  plane!: Uint8Array;
  #someValues!: Float32Array;
  #someSymbols!: Uint8Array;
  #levelsLow = Number.NaN;
  #levelsStep = Number.NaN;

  constructor(readonly exports: KernelExports) {
    reserve(exports.memory, planeAt);
    this.#see();
  }

  /** Makes room for a plane. @returns a view of it, good until the next call */
  planeOf(bytes: number): Uint8Array {
    if (reserve(this.exports.memory, planeAt + bytes + slackBytes)) this.#see();
    return this.plane.subarray(0, bytes);
  }

  /** The first `count` values and symbols: most slices are as long as the one before, and a view costs as much as the work on 100 elements. */
  valuesOf(count: number): Float32Array {
    if (this.#someValues.length !== count) this.#someValues = this.values.subarray(0, count);
    return this.#someValues;
  }

  symbolsOf(count: number): Uint8Array {
    if (this.#someSymbols.length !== count) this.#someSymbols = this.symbols8.subarray(0, count);
    return this.#someSymbols;
  }

  /** Sees to it that the levels of a channel are at {@link levelsAt}: the slices of a tensor often have the same. */
  setLevels(low: number, step: number): void {
    if (low === this.#levelsLow && step === this.#levelsStep) return;
    this.exports.writeLevels(levelsAt, low, step);
    this.#levelsLow = low;
    this.#levelsStep = step;
  }

  #see(): void {
    const { buffer } = this.exports.memory;
    this.lows = new Float64Array(buffer, lowsAt, parameters);
    this.scales = new Float64Array(buffer, scalesAt, parameters);
    this.nans = new Uint16Array(buffer, nansAt, parameters);
    this.values = new Float32Array(buffer, valuesAt, blockElements);
    this.symbols8 = new Uint8Array(buffer, symbolsAt, blockElements * 2);
    this.symbols16 = new Uint16Array(buffer, symbolsAt, blockElements);
    this.bytes = new Uint8Array(buffer, bytesAt, blockElements * 2);
    this.plane = new Uint8Array(buffer, planeAt);
    this.#someValues = this.values;
    this.#someSymbols = this.symbols8;
  }
}

/** The first `count` elements of a view, without a new object where that is all of it. */
export function head<T extends Float32Array | Uint8Array | Uint16Array>(view: T, count: number): T {
  return part(view, 0, count);
}

/** `count` elements of a view from `first` on, without a new object where that is all of it, as for most slices. */
export function part<T extends Float32Array | Uint8Array | Uint16Array>(
  view: T,
  first: number,
  count: number,
): T {
  return first === 0 && view.length === count ? view : (view.subarray(first, first + count) as T);
}

/** `undefined` where this machine cannot run them. */
export function createSimdMemory(): SimdMemory | undefined {
  const exports = instantiate<KernelExports>(kernelModule);
  return exports && new SimdMemory(exports);
}
