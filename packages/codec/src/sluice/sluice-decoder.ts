import { createTensor, elementCount, sliceRange, type TensorSpec, writeFloat32 } from "@sluice/tensor";
import type { PartialTensor, SliceFault, TensorDecoder } from "../codec.js";
import { blockArea } from "./block-grid.js";
import { createCoefficientReader } from "./entropy-coder.js";
import { qualityRange, type SluicePlan, stepOf } from "./sluice-plan.js";

const headBytes = 1;

/** What a decoder adds to a magnitude that is not 0, in steps. */
const reconstruction = 1 / 16;

/** Puts tensors of one spec together again from any slices of the codec `sluice` (spec 6.11). */
export function createSluiceDecoder(spec: TensorSpec, plan: SluicePlan): TensorDecoder {
  return { units: plan.units, begin: () => createSluiceTensor(spec, plan) };
}

function createSluiceTensor(spec: TensorSpec, plan: SluicePlan): PartialTensor {
  const { grid, places, layerStart, units, transform } = plan;
  const { blocks } = grid;
  const { length } = places;
  const elements = elementCount(spec.shape);
  const tensor = createTensor(spec.dtype, spec.shape, undefined, spec.layout);
  const isFloat = tensor.data instanceof Float32Array;
  const decoded = isFloat ? (tensor.data as Float32Array) : new Float32Array(elements);
  const missing = new Uint8Array(elements).fill(1);
  let missingCount = elements;
  const values = new Float32Array(blocks * length);
  /** Of each block: whether its first layer is in, and whether its elements are older than its coefficients. */
  const hasBase = new Uint8Array(blocks);
  const isStale = new Uint8Array(blocks);

  /** Of the slice that is being decoded: nothing of it is taken before it has come to a good end. */
  function decode(payload: Uint8Array, first: number, end: number): Int32Array | SliceFault {
    const quality = payload[0]!;
    if (quality > qualityRange[1]) return "parameter";
    const { rows, count: coded } = plan.at(quality);
    const reader = createCoefficientReader(payload, headBytes);
    const coefficients = new Int32Array(unitOffset(end, coded) - unitOffset(first, coded));
    let at = 0;
    for (let unit = first; unit < end; unit++) {
      const layer = Math.floor(unit / blocks);
      const count = layerLength(layer, coded);
      if (!reader.read(coefficients, at, at + count, rows, layerStart[layer]!)) return "payload";
      at += count;
    }
    return reader.isAtEnd() ? coefficients : "payload";
  }

  function layerLength(layer: number, coded: number): number {
    return Math.max(0, Math.min(layerStart[layer + 1]!, coded) - layerStart[layer]!);
  }

  /** Coefficients that are coded before a unit. */
  function unitOffset(unit: number, coded: number): number {
    const layer = Math.floor(unit / blocks);
    const before = Math.min(layerStart[layer]!, coded) * blocks;
    return layer === plan.layers ? before : before + layerLength(layer, coded) * (unit - layer * blocks);
  }

  function take(coefficients: Int32Array, quality: number, coded: number, first: number, end: number): void {
    const step = stepOf(quality);
    let at = 0;
    for (let unit = first; unit < end; unit++) {
      const layer = Math.floor(unit / blocks);
      const block = unit - layer * blocks;
      const to = block * length + layerStart[layer]!;
      const count = layerLength(layer, coded);
      values.fill(0, to, block * length + layerStart[layer + 1]!);
      for (let j = 0; j < count; j++, at++) {
        const coefficient = coefficients[at]!;
        if (coefficient === 0) continue;
        values[to + j] = (coefficient + (coefficient < 0 ? -reconstruction : reconstruction)) * step;
      }
      isStale[block] = 1;
      if (layer === 0) hasBase[block] = 1;
    }
  }

  function markBlock(block: number): void {
    const { top, left, height, width } = blockArea(grid, block);
    for (let y = top; y < top + height; y++) {
      for (let x = left; x < left + width; x++) {
        let at = y * grid.rowStride + x * grid.columnStride;
        for (let c = 0; c < grid.channels; c++, at += grid.channelStride) {
          missingCount -= missing[at]!;
          missing[at] = 0;
        }
      }
    }
  }

  return {
    add(index, count, payload) {
      // Checked here too, for a peer's mistake is an answer, not an exception.
      const sane =
        Number.isInteger(count) && count >= 1 && count <= units && Number.isInteger(index) && index >= 0;
      if (!sane || index >= count) return "range";
      const { first, end } = sliceRange(index, count, units);
      const coefficients = payload.length === 0 ? undefined : decode(payload, first, end);
      if (typeof coefficients === "string") return coefficients;
      if (coefficients) take(coefficients, payload[0]!, plan.at(payload[0]!).count, first, end);
      else take(new Int32Array(0), 0, 0, first, end);
      return undefined;
    },
    finish() {
      let changed = false;
      for (let block = 0; block < blocks; block++) {
        if (isStale[block] === 0 || hasBase[block] === 0) continue;
        transform.coefficients.fill(0);
        for (let j = 0; j < length; j++) {
          const value = values[block * length + j]!;
          if (value !== 0) transform.coefficients[places[j]!] = value;
        }
        transform.synthesize(block, decoded);
        isStale[block] = 0;
        changed = true;
        markBlock(block);
      }
      if (changed && !isFloat) writeFloat32(tensor, 0, decoded);
      return { tensor, missing, missingCount };
    },
  };
}
