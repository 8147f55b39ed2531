import { elementCount, readFloat32, type Tensor, type TensorSpec, type UnitRange } from "@sluice/tensor";
import { maxMagnitude } from "./entropy-format.js";
import { createIntervalList } from "./entropy-kernel.js";
import { entropyKernel } from "./select-entropy.js";
import { type SluicePlan, stepOf } from "./sluice-plan.js";

/** Every payload that is not empty begins with the quality. */
const headBytes = 1;
/** What a slice takes beyond the bits of its intervals: the head, the coder's state, rounding. */
const overheadBytes = headBytes + 4;

/**
 * Added to a coefficient's magnitude in steps before it is rounded down. Below 0.57 it becomes 0, and the decoder takes
 * each as 1/16 larger than it was written: together they leave sums of coefficients where they were, which networks care
 * for more than for the error of each.
 */
export const rounding = 0.43;

/** The tensor that an encoder works at: its coefficients, and what they become at one quality. */
export interface QuantizedTensor {
  /** Takes the coefficients of a tensor. */
  take(tensor: Tensor): void;
  /** Quantizes what was taken. */
  quantize(quality: number): void;
  /** Bytes of the payload of some units, about; exact for none. */
  bytesOf(range: UnitRange): number;
  /** Their payload. */
  payloadOf(range: UnitRange): Uint8Array;
}

export function createQuantizedTensor(spec: TensorSpec, plan: SluicePlan): QuantizedTensor {
  const { grid, places, units, transform } = plan;
  const elements = elementCount(spec.shape);
  const { length } = places;
  const kernel = entropyKernel();
  const scratch = new Float32Array(spec.dtype === "float32" ? 0 : elements);
  /** What the transform gives, block by block. */
  const perBlock = transform.coefficients.length;
  const values = new Float32Array(grid.blocks * perBlock);
  /** Unit by unit. */
  const quantized = new Int32Array(grid.blocks * length);
  const intervals = createIntervalList(units);
  let spans: Uint32Array = plan.spansAt(plan.quality, 0, units);
  let spansQuality = plan.quality;
  let current = -1;

  return {
    take(tensor) {
      const floats = readFloat32(tensor, 0, elements, scratch);
      const { coefficients } = transform;
      for (let block = 0; block < grid.blocks; block++) {
        transform.analyse(floats, block);
        values.set(coefficients, block * perBlock);
      }
      current = -1;
    },
    quantize(quality) {
      if (current === quality) return;
      current = quality;
      if (spansQuality !== quality) spans = plan.spansAt(quality, 0, units);
      spansQuality = quality;
      const perStep = 1 / stepOf(quality);
      let to = 0;
      for (let unit = 0; unit < units; unit++) {
        const block = (unit % grid.blocks) * perBlock;
        const from = spans[2 * unit]!;
        const end = from + spans[2 * unit + 1]!;
        for (let j = from; j < end; j++) {
          const value = values[block + places[j]!]! * perStep;
          // Rounded towards 0.
          if (value < 0) quantized[to++] = value > -maxMagnitude ? (value - rounding) | 0 : -maxMagnitude;
          else quantized[to++] = value < maxMagnitude ? (value + rounding) | 0 : maxMagnitude;
        }
      }
      kernel.list(quantized, spans, plan.at(quality).rows, intervals);
    },
    bytesOf: ({ first, end }) => overheadBytes + (intervals.bits[end]! - intervals.bits[first]!) / 8,
    payloadOf({ first, end }) {
      const payload = kernel.encode(intervals, first, end, headBytes);
      payload[0] = current;
      return payload;
    },
  };
}
