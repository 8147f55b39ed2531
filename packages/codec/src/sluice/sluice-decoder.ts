import { createTensor, elementCount, sliceRange, type TensorSpec, writeFloat32 } from "@sluice/tensor";
import type { PartialTensor, SliceFault, TensorDecoder } from "../codec.js";
import { blockArea } from "./block-grid.js";
import { entropyKernel } from "./select-entropy.js";
import { qualityRange, type SluicePlan, stepOf } from "./sluice-plan.js";

const headBytes = 1;

const noCoefficients = new Int32Array(0);

/** What a decoder adds to a magnitude that is not 0, in steps. */
const reconstruction = 1 / 16;

/** Puts tensors of one spec together again from any slices of the codec `sluice` (spec 6.11). */
export function createSluiceDecoder(spec: TensorSpec, plan: SluicePlan): TensorDecoder {
  return { units: plan.units, begin: () => createSluiceTensor(spec, plan) };
}

function createSluiceTensor(spec: TensorSpec, plan: SluicePlan): PartialTensor {
  const { grid, places, layerStart, units, transform } = plan;
  const { blocks } = grid;
  const elements = elementCount(spec.shape);
  const tensor = createTensor(spec.dtype, spec.shape, undefined, spec.layout);
  const isFloat = tensor.data instanceof Float32Array;
  const decoded = isFloat ? (tensor.data as Float32Array) : new Float32Array(elements);
  const missing = new Uint8Array(elements).fill(1);
  let missingCount = elements;
  /** What the transform takes, block by block. */
  const perBlock = transform.coefficients.length;
  const values = new Float32Array(blocks * perBlock);
  /** Of each block: whether its first layer is in, its elements are older than its coefficients, they are not missing. */
  const hasBase = new Uint8Array(blocks);
  const isStale = new Uint8Array(blocks);
  const isShown = new Uint8Array(blocks);
  /** Of each unit: whether it was decoded before. */
  const isTaken = new Uint8Array(units);

  /** Coefficients of a slice, unit by unit: nothing of it is taken before it has come to a good end. */
  function decode(payload: Uint8Array, spans: Uint32Array): Int32Array | SliceFault {
    const quality = payload[0]!;
    const { rows } = plan.at(quality);
    let count = 0;
    for (let i = 1; i < spans.length; i += 2) count += spans[i]!;
    const coefficients = new Int32Array(count);
    return entropyKernel().decode(payload, headBytes, spans, rows, coefficients) ? coefficients : "payload";
  }

  /** @param spans of the units from `first` on */
  function take(coefficients: Int32Array, spans: Uint32Array, quality: number, first: number): void {
    const step = stepOf(quality);
    let at = 0;
    for (let i = 0; i < spans.length; i += 2) {
      const unit = first + i / 2;
      const layer = Math.floor(unit / blocks);
      const block = unit - layer * blocks;
      const to = block * perBlock;
      const from = layerStart[layer]!;
      if (isTaken[unit] === 1) {
        for (let j = from; j < layerStart[layer + 1]!; j++) values[to + places[j]!] = 0;
      }
      isTaken[unit] = 1;
      for (let j = from, end = from + spans[i + 1]!; j < end; j++) {
        const coefficient = coefficients[at++]!;
        if (coefficient === 0) continue;
        values[to + places[j]!] = (coefficient + (coefficient < 0 ? -reconstruction : reconstruction)) * step;
      }
      isStale[block] = 1;
      if (layer === 0) hasBase[block] = 1;
    }
  }

  function markBlock(block: number): void {
    const { top, left, height, width } = blockArea(grid, block);
    for (let c = 0; c < grid.channels; c++) {
      for (let y = top; y < top + height; y++) {
        let at = c * grid.channelStride + y * grid.rowStride + left * grid.columnStride;
        for (let x = 0; x < width; x++, at += grid.columnStride) missing[at] = 0;
      }
    }
    missingCount -= grid.channels * height * width;
  }

  return {
    add(index, count, payload) {
      // Checked here too, for a peer's mistake is an answer, not an exception.
      const sane =
        Number.isInteger(count) && count >= 1 && count <= units && Number.isInteger(index) && index >= 0;
      if (!sane || index >= count) return "range";
      const { first, end } = sliceRange(index, count, units);
      if (payload.length === 0) {
        take(noCoefficients, new Uint32Array(2 * (end - first)), 0, first);
        return undefined;
      }
      const quality = payload[0]!;
      if (quality > qualityRange[1]) return "parameter";
      const spans = plan.spansAt(quality, first, end);
      const coefficients = decode(payload, spans);
      if (typeof coefficients === "string") return coefficients;
      take(coefficients, spans, quality, first);
      return undefined;
    },
    finish() {
      let changed = false;
      for (let block = 0; block < blocks; block++) {
        if (isStale[block] === 0 || hasBase[block] === 0) continue;
        transform.coefficients.set(values.subarray(block * perBlock, (block + 1) * perBlock));
        transform.synthesize(block, decoded);
        isStale[block] = 0;
        changed = true;
        if (isShown[block] === 0) markBlock(block);
        isShown[block] = 1;
      }
      if (changed && !isFloat) writeFloat32(tensor, 0, decoded);
      return { tensor, missing, missingCount };
    },
  };
}
