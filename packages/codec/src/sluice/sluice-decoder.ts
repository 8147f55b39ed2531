import {
  type BlockMotion,
  createTensor,
  elementCount,
  sliceRange,
  TensorError,
  type TensorSpec,
  writeFloat32,
} from "@sluice/tensor";
import type { DecoderReference, PartialTensor, SliceFault, TensorDecoder } from "../codec.js";
import { blockArea } from "./block-grid.js";
import { predictedBlocks, readVectors } from "./motion-vectors.js";
import { createMovedBlocks, type MovedBlocks } from "./moved-blocks.js";
import { createReferenceFrame, type ReferenceFrame } from "./reference-frame.js";
import { entropyKernel } from "./select-entropy.js";
import { qualityRange, type SluicePlan, stepOf } from "./sluice-plan.js";
import {
  distanceMask,
  modeBytes,
  predictedFlag,
  reconstructUnit,
  unitModes,
  unpackModes,
  vectorClassShift,
} from "./unit-modes.js";

const headBytes = 1;

/** A frame is kept for so much longer than it may be predicted from: frames overtake each other. */
const moreFrames = 4;

const noCoefficients = new Int32Array(0);

/** What later frames may be predicted from. */
interface Referenced {
  /** `undefined` while some of its coefficients are missing. */
  reference(): ReferenceFrame | undefined;
}

interface SluiceTensor extends PartialTensor, Referenced {}

/** Finds what a frame may be predicted from: the one so many before it. */
type FindReference = (distance: number) => ReferenceFrame | undefined;

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
        const reference = tensor.reference();
        if (reference) whole.push({ frame, values: reference.values });
      }
      return whole;
    },
    restore(references) {
      for (const { frame, values } of references) {
        if (values.length !== coefficients) {
          const { length } = values;
          throw new TensorError("references", `${length} coefficients, a tensor has ${coefficients}`);
        }
        const reference = createReferenceFrame(plan, values);
        keep(frame, { reference: () => reference });
      }
    },
  };
}

function createSluiceTensor(spec: TensorSpec, plan: SluicePlan, findReference: FindReference): SluiceTensor {
  const { grid, places, layerStart, units, transform, blockOrder } = plan;
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
  let complete: ReferenceFrame | undefined;
  let moved: MovedBlocks | undefined;
  let motion: BlockMotion | undefined;

  /** Takes a slice as a whole, or nothing of it. */
  function decode(payload: Uint8Array, first: number, end: number): SliceFault | undefined {
    const quality = payload[0]! & ~predictedFlag;
    if (quality > qualityRange[1]) return "parameter";
    let head = headBytes;
    let modes: Uint8Array | undefined;
    let reference: ReferenceFrame | undefined;
    let vectorClass = 0;
    if (payload[0]! & predictedFlag) {
      head += 1 + modeBytes(end - first);
      if (payload.length < head) return "payload";
      vectorClass = payload[1]! >> vectorClassShift;
      if (vectorClass > 0 && plan.motion === 0) return "parameter";
      reference = findReference(payload[1]! & distanceMask);
      if (reference === undefined) return "parameter";
      modes = unpackModes(payload, headBytes + 1, end - first);
    }
    const moving = vectorClass > 0 ? predictedBlocks(modes!, first, blockOrder) : [];
    const spans = plan.spansAt(quality, first, end, modes);
    const written = decodeSpans(payload, head, quality, [
      ...(moving.length > 0 ? [plan.vectorSpans(quality, vectorClass, moving.length)] : []),
      spans,
    ]);
    if (written === undefined) return "payload";
    const vectors = readVectors(grid, moving, written.subarray(0, 2 * moving.length), plan.motion);
    if (vectors === undefined) return "payload";
    if (modes) noteMotion(modes, first, payload[1]! & distanceMask, vectors);
    const expect = reference && expectedFrom(reference, vectors);
    take(written.subarray(2 * moving.length), spans, first, stepOf(quality), modes, expect);
    return undefined;
  }

  /** Coefficients of all spans, or `undefined` where the payload does not hold them. */
  function decodeSpans(
    payload: Uint8Array,
    head: number,
    quality: number,
    parts: readonly Uint32Array[],
  ): Int32Array | undefined {
    const spans = new Uint32Array(parts.reduce((sum, { length }) => sum + length, 0));
    let at = 0;
    for (const part of parts) {
      spans.set(part, at);
      at += part.length;
    }
    let count = 0;
    for (let i = 1; i < spans.length; i += 2) count += spans[i]!;
    const coefficients = new Int32Array(count);
    const isSound = entropyKernel().decode(payload, head, spans, plan.at(quality).rows, coefficients);
    return isSound ? coefficients : undefined;
  }

  /** Keeps what the slice says of how its blocks moved. */
  function noteMotion(modes: Uint8Array, first: number, distance: number, vectors: Int8Array): void {
    if (plan.motion === 0 || spec.layout === "any") return;
    const { blockHeight, blockWidth } = grid;
    motion ??= {
      ...{ blockHeight, blockWidth },
      distances: new Uint8Array(blocks),
      vectors: new Int8Array(2 * blocks),
    };
    for (const block of predictedBlocks(modes, first, blockOrder)) {
      motion.distances[block] = distance;
      motion.vectors.set(vectors.subarray(2 * block, 2 * block + 2), 2 * block);
    }
  }

  /** What the coefficients of a block are predicted to be, in an array as large as that of all blocks. */
  function expectedFrom(reference: ReferenceFrame, vectors: Int8Array): (block: number) => Float32Array {
    return (block) => {
      const vector = [vectors[2 * block]!, vectors[2 * block + 1]!] as const;
      if (vector[0] === 0 && vector[1] === 0) return reference.values;
      moved ??= createMovedBlocks(plan);
      return moved.from(reference, block, vector);
    };
  }

  /**
   * @param spans of the units from `first` on
   * @param expect see `expectedFrom`; absent: nothing is predicted
   */
  function take(
    coefficients: Int32Array,
    spans: Uint32Array,
    first: number,
    step: number,
    modes?: Uint8Array,
    expect?: (block: number) => Float32Array,
  ): void {
    // What it looked like may not be what it looks like now.
    complete = undefined;
    let at = 0;
    for (let i = 0; 2 * i < spans.length; i++) {
      const unit = first + i;
      const layer = Math.floor(unit / blocks);
      const block = blockOrder[unit - layer * blocks]!;
      const place = {
        places,
        first: layerStart[layer]!,
        end: layerStart[layer + 1]!,
        offset: block * perBlock,
      };
      const count = spans[2 * i + 1]!;
      const from = modes === undefined || modes[i] === unitModes.intra ? undefined : expect?.(block);
      reconstructUnit(place, coefficients, at, count, step, from, values);
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
    reference() {
      if (untaken === 0) complete ??= createReferenceFrame(plan, values);
      return complete;
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
      return { tensor, missing, missingCount, ...(motion ? { motion } : {}) };
    },
  };
}
