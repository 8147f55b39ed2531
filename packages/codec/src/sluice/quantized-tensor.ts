import { elementCount, readFloat32, type Tensor, type TensorSpec, type UnitRange } from "@sluice/tensor";
import { maxMagnitude } from "./entropy-format.js";
import { createIntervalList } from "./entropy-kernel.js";
import { createMotionEstimate } from "./motion-estimate.js";
import type { ReferenceFrame } from "./reference-frame.js";
import { entropyKernel } from "./select-entropy.js";
import {
  encodeWithVectors,
  type SliceVectors,
  sliceVectorBits,
  sliceVectors,
  type WrittenUnits,
} from "./slice-vectors.js";
import { type SluicePlan, stepOf } from "./sluice-plan.js";
import {
  modeBytes,
  packModes,
  predictedFlag,
  reconstructUnit,
  unitModes,
  vectorClassShift,
} from "./unit-modes.js";

/** Every payload that is not empty begins with the quality; where units are predicted, a distance and the modes follow. */
const headBytes = 1;
/** What a slice takes beyond its head and the bits of its intervals: the coder's state, rounding. */
const overheadBytes = 4;

/** The most bits that one vector takes in a slice of its own. */
const mostVectorBits = 40;

/**
 * Added to a coefficient's magnitude in steps before it is rounded down. Below 0.57 it becomes 0, and the decoder takes
 * each as 1/16 larger than it was written: together they leave sums of coefficients where they were, which networks care
 * for more than for the error of each.
 */
export const rounding = 0.43;

/** A frame that the receiver has. */
export interface Reference {
  /** How many frames before the one that is encoded. */
  readonly distance: number;
  readonly frame: ReferenceFrame;
}

/** The tensor that an encoder works at: its coefficients, and what they become at one quality. */
export interface QuantizedTensor {
  /** Takes the coefficients of a tensor, and what they may be predicted from. */
  take(tensor: Tensor, reference: Reference | undefined): void;
  /** Quantizes what was taken. */
  quantize(quality: number): void;
  /** The quality at which it is quantized. */
  quality(): number;
  /** Bytes of the payload of some units, about. */
  bytesOf(range: UnitRange): number;
  /** Their payload. */
  payloadOf(range: UnitRange): Uint8Array;
  /** What the receiver's tensor lacks without them: squares of coefficients, in which all errors are worth the same. */
  energyOf(range: UnitRange): number;
  /** What a receiver of the units before `end` has: their coefficients, and 0 for the others. */
  reconstruct(end: number): Float32Array;
}

export function createQuantizedTensor(spec: TensorSpec, plan: SluicePlan): QuantizedTensor {
  const { grid, places, units, transform, layerStart, blockOrder } = plan;
  const elements = elementCount(spec.shape);
  const kernel = entropyKernel();
  const scratch = new Float32Array(spec.dtype === "float32" ? 0 : elements);
  /** What the transform gives, block by block, and its bits. */
  const perBlock = transform.coefficients.length;
  const values = new Float32Array(grid.blocks * perBlock);
  const bits = new Int32Array(values.buffer);
  /** Unit by unit. */
  const coded = grid.blocks * places.length;
  const quantized = new Int32Array(coded);
  const intervals = createIntervalList(units);
  const modes = new Uint8Array(units);
  /** Only where there is a reference. */
  const prediction = plan.memory > 0 ? createPrediction(coded, units, grid.blocks * perBlock) : undefined;
  const motion =
    prediction && plan.motion > 0 ? createMotionEstimate(plan, plan.deviations, 1 - rounding) : undefined;
  let reference: Reference | undefined;
  /** What the coefficients are predicted to be. */
  let expected: Float32Array | undefined;
  let spans: Uint32Array = plan.spansAt(plan.quality, 0, units);
  let intraSpans = spans;
  let spansQuality = plan.quality;
  let current = -1;
  let energies: Float64Array | undefined;

  function quantizeAll(from: Float32Array, signs: Int32Array, perStep: number, target: Int32Array): void {
    let to = 0;
    for (let unit = 0; unit < units; unit++) {
      const block = blockOrder[unit % grid.blocks]! * perBlock;
      const first = intraSpans[2 * unit]!;
      const end = first + intraSpans[2 * unit + 1]!;
      for (let j = first; j < end; j++) {
        const at = block + places[j]!;
        // Signs come by chance: a branch on them is guessed wrong half of the time.
        const sign = signs[at]! >> 31;
        const magnitude = Math.min(maxMagnitude, Math.abs(from[at]!) * perStep + rounding) | 0;
        target[to++] = (magnitude ^ sign) - sign;
      }
    }
  }

  /** Chooses for each unit what takes the fewest bits, and moves its coefficients into `quantized`. */
  function predict(
    { residual, residualBits, written, cost }: Prediction,
    quality: number,
    from: Float32Array,
  ): void {
    const { rows } = plan.at(quality);
    for (let i = 0; i < residual.length; i++) residual[i] = values[i]! - from[i]!;
    quantizeAll(residual, residualBits, 1 / stepOf(quality), written);
    const listBits = (mode: number, coefficients: Int32Array, target: Float64Array): void => {
      kernel.list(
        coefficients,
        plan.spansAt(quality, 0, units, new Uint8Array(units).fill(mode)),
        rows,
        intervals,
      );
      for (let unit = 0; unit < units; unit++)
        target[unit] = intervals.bits[unit + 1]! - intervals.bits[unit]!;
    };
    listBits(unitModes.intra, quantized, cost[0]);
    listBits(unitModes.rough, written, cost[1]);
    listBits(unitModes.fine, written, cost[2]);
    let at = 0;
    let to = 0;
    for (let unit = 0; unit < units; unit++) {
      const end = at + intraSpans[2 * unit + 1]!;
      const isSame = isZero(written, at, end);
      const [intra, rough, fine] = [cost[0][unit]!, cost[1][unit]!, cost[2][unit]!];
      const best =
        Math.min(rough, fine) >= intra ? unitModes.intra : rough < fine ? unitModes.rough : unitModes.fine;
      modes[unit] = isSame ? unitModes.same : best;
      if (!isSame) {
        const source = best === unitModes.intra ? quantized : written;
        for (let i = at; i < end; i++) quantized[to++] = source[i]!;
      }
      at = end;
    }
  }

  const writtenUnits = (first: number, end: number): WrittenUnits => ({
    ...{ first, end, quality: current, modes, spans, coefficients: quantized },
  });

  function vectorsOf(first: number, end: number): SliceVectors | undefined {
    return motion && sliceVectors(plan, { first, end, modes }, motion.vectors);
  }

  /** Of the slice with these units; a single unit's is not looked at, for many are asked about. */
  function vectorBits(first: number, end: number): number {
    if (!motion || !expected) return 0;
    if (end - first === 1) return mostVectorBits;
    const vectors = vectorsOf(first, end);
    return vectors ? sliceVectorBits(vectors) : 0;
  }

  /** Of a unit of the first layer those of the whole block: without it, nothing of the block is used. */
  function unitEnergies(): Float64Array {
    const own = new Float64Array(units);
    for (let unit = units - 1; unit >= 0; unit--) {
      const place = unit % grid.blocks;
      const block = blockOrder[place]! * perBlock;
      const first = intraSpans[2 * unit]!;
      const end = first + intraSpans[2 * unit + 1]!;
      for (let j = first; j < end; j++) own[unit]! += values[block + places[j]!]! ** 2;
      if (unit >= grid.blocks) own[place]! += own[unit]!;
    }
    return own;
  }

  return {
    take(tensor, from) {
      const floats = readFloat32(tensor, 0, elements, scratch);
      const { coefficients } = transform;
      for (let block = 0; block < grid.blocks; block++) {
        transform.analyse(floats, block);
        values.set(coefficients, block * perBlock);
        if (from) motion?.takeSamples(block);
      }
      reference = from;
      expected = from?.frame.values;
      if (from && motion) {
        motion.compare(values, from.frame);
        expected = motion.expected;
      }
      current = -1;
    },
    quality: () => current,
    quantize(quality) {
      if (current === quality) return;
      current = quality;
      energies = undefined;
      if (spansQuality !== quality) intraSpans = plan.spansAt(quality, 0, units);
      spansQuality = quality;
      quantizeAll(values, bits, 1 / stepOf(quality), quantized);
      spans = intraSpans;
      modes.fill(unitModes.intra);
      if (prediction && expected) {
        predict(prediction, quality, expected);
        spans = plan.spansAt(quality, 0, units, modes);
      }
      kernel.list(quantized, spans, plan.at(quality).rows, intervals);
    },
    bytesOf({ first, end }) {
      const head = reference ? headBytes + 1 + modeBytes(end - first) : headBytes;
      const bits = intervals.bits[end]! - intervals.bits[first]! + vectorBits(first, end);
      return head + overheadBytes + bits / 8;
    },
    payloadOf({ first, end }) {
      const isPredicted = reference !== undefined && !isZero(modes, first, end);
      const head = isPredicted ? headBytes + 1 + modeBytes(end - first) : headBytes;
      const vectors = isPredicted ? vectorsOf(first, end) : undefined;
      const payload = vectors
        ? encodeWithVectors(kernel, plan, vectors, writtenUnits(first, end), head)
        : kernel.encode(intervals, first, end, head);
      payload[0] = current;
      if (isPredicted) {
        payload[0] |= predictedFlag;
        payload[1] = reference!.distance | ((vectors?.vectorClass ?? 0) << vectorClassShift);
        packModes(modes, first, end, payload, headBytes + 1);
      }
      return payload;
    },
    energyOf({ first, end }) {
      energies ??= unitEnergies();
      let sum = 0;
      for (let unit = first; unit < end; unit++) sum += energies[unit]!;
      return sum;
    },
    reconstruct(end) {
      const target = new Float32Array(values.length);
      const step = stepOf(current);
      let at = 0;
      for (let unit = 0; unit < end; unit++) {
        const layer = Math.floor(unit / grid.blocks);
        const place = {
          ...{ places, first: layerStart[layer]!, end: layerStart[layer + 1]! },
          offset: blockOrder[unit - layer * grid.blocks]! * perBlock,
        };
        const count = spans[2 * unit + 1]!;
        const from = modes[unit] === unitModes.intra ? undefined : expected;
        reconstructUnit(place, quantized, at, count, step, from, target);
        at += count;
      }
      return target;
    },
  };
}

function isZero(list: Int32Array | Uint8Array, first: number, end: number): boolean {
  for (let i = first; i < end; i++) if (list[i] !== 0) return false;
  return true;
}

/** Memory to compare predicted units with others. */
interface Prediction {
  readonly residual: Float32Array;
  readonly residualBits: Int32Array;
  readonly written: Int32Array;
  /** Bits of each unit, for each mode that writes coefficients. */
  readonly cost: readonly [Float64Array, Float64Array, Float64Array];
}

function createPrediction(coded: number, units: number, values: number): Prediction {
  const residual = new Float32Array(values);
  return {
    residual,
    residualBits: new Int32Array(residual.buffer),
    written: new Int32Array(coded),
    cost: [new Float64Array(units), new Float64Array(units), new Float64Array(units)],
  };
}
