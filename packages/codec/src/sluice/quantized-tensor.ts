import { elementCount, readFloat32, type Tensor, type TensorSpec, type UnitRange } from "@sluice/tensor";
import { createIntervalList, maxMagnitude } from "./entropy-coder.js";
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
  const { grid, places, layerStart, units, transform } = plan;
  const elements = elementCount(spec.shape);
  const { length } = places;
  const scratch = new Float32Array(spec.dtype === "float32" ? 0 : elements);
  /** In the order of the plan, block by block. */
  const values = new Float32Array(grid.blocks * length);
  const quantized = new Int32Array(length);
  const intervals = createIntervalList();
  /** Where the intervals of each unit begin, and the bits before it. */
  const unitStart = new Uint32Array(units + 1);
  const unitBits = new Float64Array(units + 1);
  let current = -1;

  return {
    take(tensor) {
      const floats = readFloat32(tensor, 0, elements, scratch);
      const { coefficients } = transform;
      for (let block = 0, at = 0; block < grid.blocks; block++) {
        transform.analyse(floats, block);
        for (let j = 0; j < length; j++) values[at++] = coefficients[places[j]!]!;
      }
      current = -1;
    },
    quantize(quality) {
      if (current === quality) return;
      current = quality;
      const { rows, count } = plan.at(quality);
      const perStep = 1 / stepOf(quality);
      intervals.clear();
      for (let unit = 0; unit < units; unit++) {
        const layer = Math.floor(unit / grid.blocks);
        const from = layerStart[layer]!;
        const coded = Math.min(layerStart[layer + 1]!, count) - from;
        const at = (unit - layer * grid.blocks) * length + from;
        for (let j = 0; j < coded; j++) {
          const value = values[at + j]! * perStep;
          const magnitude = Math.min(maxMagnitude, (value < 0 ? -value : value) + rounding) | 0;
          quantized[j] = value < 0 ? -magnitude : magnitude;
        }
        unitStart[unit] = intervals.length();
        unitBits[unit] = intervals.bits();
        if (coded > 0) intervals.add(quantized, 0, coded, rows, from);
      }
      unitStart[units] = intervals.length();
      unitBits[units] = intervals.bits();
    },
    bytesOf: ({ first, end }) => overheadBytes + (unitBits[end]! - unitBits[first]!) / 8,
    payloadOf({ first, end }) {
      const payload = intervals.encode(unitStart[first]!, unitStart[end]!, headBytes);
      payload[0] = current;
      return payload;
    },
  };
}
