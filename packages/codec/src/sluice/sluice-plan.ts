import {
  type CutStatistics,
  channelAxis,
  checkSpec,
  elementCount,
  TensorError,
  type TensorSpec,
} from "@sluice/tensor";
import { checkInterleavedSize, dealPlaces } from "../interleave/dealing-order.js";
import { type Interleaving, interleaveField } from "../interleave/interleaving.js";
import { type BlockGrid, createBlockGrid } from "./block-grid.js";
import { type BlockTransform, createBlockTransform } from "./block-transform.js";
import { rowsPerClass, vectorClasses } from "./motion-vectors.js";
import { highestRows, unitModes } from "./unit-modes.js";

/** Parameters of the codec `sluice`. */
export interface SluiceParameters {
  /**
   * How finely coefficients are quantized, 0 to 100: 8 more halve the step. Default 50: the step that calibration found
   * to cost little.
   */
  readonly quality?: number;
  /**
   * Parts, 1 to 8, that the coefficients of each block are divided into: the large ones of all blocks come first, so that
   * a tensor can be cut off behind any slice. Default 3.
   */
  readonly layers?: number;
  /**
   * Frames, 0 to 16, that a frame may be predicted from: the receiver keeps so many. Default 0: every frame stands for
   * itself.
   */
  readonly memory?: number;
  /**
   * How far away, in elements, 0 to 15, a block may be predicted from: what moves is found again. Default 0: blocks are
   * predicted from where they are. Of no use without `memory`.
   */
  readonly motion?: number;
}

/** What a predicting codec may hold of frames at one end, in elements. */
const maxKeptElements = 1 << 26;

export const qualityRange = [0, 100, 50] as const;
export const layerRange = [1, 8, 3] as const;
export const memoryRange = [0, 16, 0] as const;
export const motionRange = [0, 15, 0] as const;

/** The quality at which a step is 1 and the rows of the statistics hold. */
export const neutralQuality = 50;
/** What the row of a coefficient's distribution is less than its stored scale, at the neutral quality. */
export const scaleOffset = 64;

/** How much lower the quality is that the coarse scales are for: there a step is 4. */
export const coarseQualities = 16;

/**
 * The row of a coefficient's distribution, by its stored scales: at the neutral quality, at the coarse one, on a line
 * between and beyond; above, every quality is one row.
 */
function rowAt(scale: number, coarseScale: number, quality: number): number {
  const finer = quality - neutralQuality;
  const perQuality = finer > 0 ? coarseQualities : scale - coarseScale;
  return scale - scaleOffset + Math.floor((perQuality * finer) / coarseQualities);
}

/** A quantization step, in the coefficients' unit. */
export function stepOf(quality: number): number {
  return 2 ** ((neutralQuality - quality) / 8);
}

/** What encoder and decoder of a stream compute alike from the spec, the statistics and the parameters. */
export interface SluicePlan {
  readonly grid: BlockGrid;
  readonly transform: BlockTransform;
  readonly layers: number;
  readonly quality: number;
  readonly memory: number;
  readonly motion: number;
  /** Of the channels, from the statistics. */
  readonly deviations: Float32Array;
  /** Units of a tensor: those of the first layer block by block, then those of the next. */
  readonly units: number;
  /** The blocks in the order of each layer's units. */
  readonly blockOrder: Uint32Array;
  /** Coefficients of a block, each layer's behind those of the one before it: where they lie in the {@link BlockTransform}. */
  readonly places: Uint32Array;
  /** Where each layer begins in {@link places}, and its length behind the last one. */
  readonly layerStart: readonly number[];
  /** What is coded at a quality. */
  at(quality: number): CodedRows;
  /**
   * For the units from `first` to `end`, exclusive: the first row of each and how many there are, as the entropy kernel
   * takes it.
   * @param modes of these units (see `unitModes`); by default they all stand for themselves
   */
  spansAt(quality: number, first: number, end: number, modes?: Uint8Array): Uint32Array;
  /** The same for the vectors of a slice: as many spans of two, with the row of a class (`vectorClass`). */
  vectorSpans(quality: number, vectorClass: number, vectors: number): Uint32Array;
}

/** The coefficients that are coded at a quality. */
export interface CodedRows {
  /** How many, from the start of the order; those behind are 0. */
  readonly count: number;
  /**
   * For each: the row of its distribution; then again for each mode of a predicted unit that writes coefficients. Behind
   * them, twice for each class, that of vectors.
   */
  readonly rows: Int32Array;
}

/**
 * @throws TensorError where there are no statistics, none of the transform, or they are of another shape
 */
export function createSluicePlan(
  spec: TensorSpec,
  statistics: CutStatistics | undefined,
  {
    quality = qualityRange[2],
    layers = layerRange[2],
    memory = memoryRange[2],
    motion = motionRange[2],
  }: SluiceParameters,
  interleaving: Interleaving = { kind: "contiguous" },
): SluicePlan {
  checkSpec(spec);
  if (spec.parts) {
    throw new TensorError(
      "codec.sluice",
      `takes one tensor, and this is a bundle of ${spec.parts.length}; use a chain, such as quantize:levels=32 | entropy`,
    );
  }
  const transform = statistics?.transform;
  if (statistics === undefined || transform === undefined) {
    throw new TensorError(
      "codec.sluice",
      "needs the cut's statistics with a transform (sluice calibrate makes them)",
    );
  }
  const { channels } = channelAxis(spec.shape, spec.layout);
  const elements = elementCount(spec.shape);
  const bands = transform.block[0] * transform.block[1];
  if (statistics.meanElement.length !== elements || transform.scales.length !== bands * channels) {
    const shape = statistics.shape.join(", ");
    throw new TensorError(
      "codec.sluice",
      `the statistics are of shape [${shape}], the tensors of [${spec.shape.join(", ")}]`,
    );
  }
  const grid = createBlockGrid(spec, transform.block);
  // With motion, what frames look like is kept beside their coefficients.
  const keptElements = motion > 0 ? 2 * elements : elements;
  if (keptElements * memory > maxKeptElements) {
    const most = Math.floor(maxKeptElements / keptElements);
    throw new TensorError(
      "codec.sluice.memory",
      `${memory} frames of ${elements} elements, at most ${most} are kept`,
    );
  }
  const { scales, coarseScales } = transform;
  const order = Uint32Array.from(scales.keys()).sort((a, b) => scales[b]! - scales[a]! || a - b);
  const known = new Map<number, CodedRows>();

  function codedAt(at: number): CodedRows {
    const rows = Int32Array.from(order, (i) =>
      scales[i] === 0 ? -1 : rowAt(scales[i]!, coarseScales[i]!, at),
    );
    const count = rows.findLastIndex((row) => row >= 0) + 1;
    const coded = rows.subarray(0, count).map((row) => Math.max(0, row));
    const limited = highestRows.map((highest) => coded.map((row) => Math.min(row, highest)));
    const ofVectors = Array.from({ length: 2 * vectorClasses }, (_, i) => rowsPerClass * (1 + (i >> 1)));
    return { count, rows: Int32Array.from([...limited.flatMap((own) => [...own]), ...ofVectors]) };
  }

  function at(quality: number): CodedRows {
    const coded = known.get(quality) ?? codedAt(quality);
    known.set(quality, coded);
    return coded;
  }

  const blockTransform = createBlockTransform(grid, statistics, transform);
  const layerStart = layerStarts(order, scales, layers);
  return {
    ...{ grid, layers, quality, memory, motion, layerStart, at },
    deviations: statistics.channelDeviation,
    transform: blockTransform,
    places: order.map((coefficient) => blockTransform.place(coefficient)),
    units: grid.blocks * layers,
    blockOrder: orderBlocks(spec, grid, interleaving),
    spansAt(quality, first, end, modes) {
      const { count } = at(quality);
      const spans = new Uint32Array(2 * (end - first));
      for (let unit = first; unit < end; unit++) {
        const layer = Math.floor(unit / grid.blocks);
        const from = Math.min(layerStart[layer]!, count);
        const mode = modes?.[unit - first] ?? unitModes.intra;
        if (mode === unitModes.same) continue;
        spans[2 * (unit - first)] = mode * count + from;
        spans[2 * (unit - first) + 1] = Math.min(layerStart[layer + 1]!, count) - from;
      }
      return spans;
    },
    vectorSpans(quality, vectorClass, vectors) {
      const row = highestRows.length * at(quality).count + 2 * (vectorClass - 1);
      return Uint32Array.from({ length: 2 * vectors }, (_, i) => (i % 2 === 0 ? row : 2));
    },
  };
}

/** @throws TensorError of the field `interleave` for an order that is not one of blocks, and for too large a tensor */
function orderBlocks(
  spec: TensorSpec,
  { blocks, columns }: BlockGrid,
  interleaving: Interleaving,
): Uint32Array {
  if (interleaving.kind !== "contiguous") checkInterleavedSize(spec);
  if (interleaving.kind === "channel-strided") {
    throw new TensorError(
      interleaveField,
      "channel-strided, and blocks of the codec sluice hold all channels; use checkerboard or pseudo-random",
    );
  }
  return dealPlaces(interleaving, blocks / columns, columns);
}

/**
 * Layers that cost about the same, as the square of a coefficient's row is about proportional to its bits.
 */
function layerStarts(order: Uint32Array, scales: Uint8Array, layers: number): number[] {
  const cost = (i: number): number => Math.max(0, scales[i]! - scaleOffset) ** 2;
  const total = order.reduce((sum, i) => sum + cost(i), 0);
  const starts = [0];
  let sum = 0;
  for (const [at, coefficient] of order.entries()) {
    sum += cost(coefficient);
    while (starts.length < layers && sum * layers >= total * starts.length) starts.push(at + 1);
  }
  return [...starts, order.length];
}
