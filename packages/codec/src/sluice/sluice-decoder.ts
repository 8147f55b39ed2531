import {
  createTensor,
  elementCount,
  sliceRange,
  TensorError,
  type TensorSpec,
  writeFloat32,
} from "@sluice/tensor";
import type { DecoderReference, PartialTensor, SliceFault, TensorDecoder } from "../codec.js";
import { blockArea } from "./block-grid.js";
import { entropyKernel } from "./select-entropy.js";
import { qualityRange, type SluicePlan, stepOf } from "./sluice-plan.js";
import { modeBytes, reconstructUnit, unitModes, unpackModes } from "./unit-modes.js";

const headBytes = 1;
/** Set in the first byte of slices of which units are predicted; a byte with the distance and the modes follow. */
const predictedFlag = 0x80;

/** A frame is kept for so much longer than it may be predicted from: frames overtake each other. */
const moreFrames = 4;

const noCoefficients = new Int32Array(0);

/** What later frames may be predicted from. */
interface Referenced {
  /** Its coefficients; `undefined` while some are missing. */
  reference(): Float32Array | undefined;
}

interface SluiceTensor extends PartialTensor, Referenced {}

/** Finds what a frame may be predicted from: the one so many before it. */
type FindReference = (distance: number) => Float32Array | undefined;

/** Puts tensors of one spec together again from any slices of the codec `sluice` (spec 6.11). */
export function createSluiceDecoder(spec: TensorSpec, plan: SluicePlan): TensorDecoder {
  const kept = new Map<number, Referenced>();
  const coefficients = plan.grid.blocks * plan.transform.coefficients.length;
  let newest = Number.NEGATIVE_INFINITY;

  function keep(frame: number, tensor: Referenced): void {
    newest = Math.max(newest, frame);
    const oldest = newest - plan.memory - moreFrames;
    for (const number of kept.keys()) if (number < oldest) kept.delete(number);
    if (frame >= oldest) kept.set(frame, tensor);
  }

  return {
    units: plan.units,
    begin(frame) {
      if (plan.memory === 0 || frame === undefined) return createSluiceTensor(spec, plan, () => undefined);
      const find: FindReference = (distance) =>
        distance >= 1 && distance <= plan.memory ? kept.get(frame - distance)?.reference() : undefined;
      const tensor = createSluiceTensor(spec, plan, find);
      keep(frame, tensor);
      return tensor;
    },
    references() {
      const whole: DecoderReference[] = [];
      for (const [frame, tensor] of kept) {
        const values = tensor.reference();
        if (values) whole.push({ frame, values });
      }
      return whole;
    },
    restore(references) {
      for (const { frame, values } of references) {
        if (values.length !== coefficients) {
          const { length } = values;
          throw new TensorError("references", `${length} coefficients, a tensor has ${coefficients}`);
        }
        keep(frame, { reference: () => values });
      }
    },
  };
}

function createSluiceTensor(spec: TensorSpec, plan: SluicePlan, findReference: FindReference): SluiceTensor {
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
  let untaken = units;

  /** Takes a slice as a whole, or nothing of it. */
  function decode(payload: Uint8Array, first: number, end: number): SliceFault | undefined {
    const quality = payload[0]! & ~predictedFlag;
    if (quality > qualityRange[1]) return "parameter";
    let head = headBytes;
    let modes: Uint8Array | undefined;
    let reference: Float32Array | undefined;
    if (payload[0]! & predictedFlag) {
      head += 1 + modeBytes(end - first);
      if (payload.length < head) return "payload";
      reference = findReference(payload[1]!);
      if (reference === undefined) return "parameter";
      modes = unpackModes(payload, headBytes + 1, end - first);
    }
    const spans = plan.spansAt(quality, first, end, modes);
    let count = 0;
    for (let i = 1; i < spans.length; i += 2) count += spans[i]!;
    const coefficients = new Int32Array(count);
    if (!entropyKernel().decode(payload, head, spans, plan.at(quality).rows, coefficients)) return "payload";
    take(coefficients, spans, first, stepOf(quality), modes, reference);
    return undefined;
  }

  /** @param spans of the units from `first` on */
  function take(
    coefficients: Int32Array,
    spans: Uint32Array,
    first: number,
    step: number,
    modes?: Uint8Array,
    reference?: Float32Array,
  ): void {
    let at = 0;
    for (let i = 0; 2 * i < spans.length; i++) {
      const unit = first + i;
      const layer = Math.floor(unit / blocks);
      const block = unit - layer * blocks;
      const place = {
        places,
        first: layerStart[layer]!,
        end: layerStart[layer + 1]!,
        offset: block * perBlock,
      };
      const count = spans[2 * i + 1]!;
      const own = modes === undefined || modes[i] === unitModes.intra ? undefined : reference;
      reconstructUnit(place, coefficients, at, count, step, own, values);
      at += count;
      untaken -= 1 - isTaken[unit]!;
      isTaken[unit] = 1;
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
      if (payload.length > 0) return decode(payload, first, end);
      take(noCoefficients, new Uint32Array(2 * (end - first)), first, 0);
      return undefined;
    },
    reference: () => (untaken === 0 ? values : undefined),
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
