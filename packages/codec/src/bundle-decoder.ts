import {
  bytesPerElement,
  createTensor,
  elementCount,
  type Tensor,
  TensorError,
  type TensorSpec,
  tensorBytes,
} from "@sluice/tensor";
import { type BundleUnits, createBundleUnits, type PartRange, partLengthBytes } from "./bundle-parts.js";
import type { Chain } from "./chain.js";
import type { DecoderReference, FinishedTensor, PartialTensor, SliceFault, TensorDecoder } from "./codec.js";
import { createSliceDecoder, isSlice, type PartialRanges } from "./slice-decoder.js";

/** What a slice holds of each of its tensors. `undefined`: the lengths in it are not those of its payload. */
function splitPayload(payload: Uint8Array, ranges: readonly PartRange[]): Uint8Array[] | undefined {
  const view = new DataView(payload.buffer, payload.byteOffset, payload.byteLength);
  const pieces: Uint8Array[] = [];
  let at = 0;
  for (let i = 0; i < ranges.length - 1; i++) {
    if (at + partLengthBytes > payload.length) return undefined;
    const end = at + partLengthBytes + view.getUint32(at, true);
    if (end > payload.length) return undefined;
    pieces.push(payload.subarray(at + partLengthBytes, end));
    at = end;
  }
  pieces.push(payload.subarray(at));
  return pieces;
}

/** Decodes the tensors of a bundle from any slices, each by its own chain, so that what is lost of one is not lost of the others (spec 6.14). */
export function createBundleDecoder(
  spec: TensorSpec,
  parts: readonly TensorSpec[],
  chains: readonly Chain[],
): TensorDecoder {
  const units = createBundleUnits(chains);
  const decoders = parts.map((part, i) => createSliceDecoder(part, chains[i]!));
  // Of nothing but zeros, which no slice changes any more.
  const whole = new Uint8Array(elementCount(spec.shape));
  const sizes = chains.flatMap(({ history }, i) => (history ? [elementCount(parts[i]!.shape)] : []));
  const looking = decoders.filter(({ references }) => references !== undefined);
  return {
    units: units.units,
    begin(frame, into) {
      const partials = decoders.map((decoder) => decoder.begin(frame));
      return {
        add: (index, count, payload) => addSlice(units, partials, { index, count }, payload),
        finish: () => finishBundle(spec, partials, whole, into),
      } satisfies PartialTensor;
    },
    ...(looking.length > 0
      ? {
          references: () => joinReferences(looking.map((decoder) => decoder.references!())),
          restore(references: readonly DecoderReference[]) {
            const all = sizes.reduce((sum, size) => sum + size, 0);
            const odd = references.find(({ values }) => values.length !== all);
            if (odd) throw new TensorError("references", `frame ${odd.frame}: must be ${all} symbols`);
            let start = 0;
            for (const [i, decoder] of looking.entries()) {
              const [first, end] = [start, start + sizes[i]!];
              start = end;
              decoder.restore!(
                references.map(({ frame, values }) => ({ frame, values: values.subarray(first, end) })),
              );
            }
          },
        }
      : {}),
  };
}

function addSlice(
  { units, rangesOf }: BundleUnits,
  partials: readonly PartialRanges[],
  slice: { readonly index: number; readonly count: number },
  payload: Uint8Array,
): SliceFault | undefined {
  if (!isSlice(slice.index, slice.count, units)) return "range";
  const ranges = rangesOf(slice);
  const pieces = splitPayload(payload, ranges);
  if (!pieces) return "payload-length";
  let fault: SliceFault | undefined;
  // What one tensor's chain refuses does not take the others' from them.
  for (const [i, range] of ranges.entries())
    fault = partials[range.part]!.addRange(range, pieces[i]!) ?? fault;
  return fault;
}

/** Puts tensors and masks one behind the other; an element of a bundle of bytes is missing where that of its tensor is. */
function finishBundle(
  { dtype, shape, layout, parts }: TensorSpec,
  partials: readonly PartialRanges[],
  whole: Uint8Array,
  into: Tensor | undefined,
): FinishedTensor {
  const finished = partials.map((partial) => partial.finish());
  const tensor: Tensor = into ?? {
    ...createTensor(dtype, shape, undefined, layout),
    ...(parts ? { parts } : {}),
  };
  const bytes = tensorBytes(tensor);
  const isWhole = finished.every(({ missingCount }) => missingCount === 0);
  const missing = isWhole ? whole : new Uint8Array(whole.length);
  let missingCount = 0;
  let offset = 0;
  for (const part of finished) {
    bytes.set(tensorBytes(part.tensor), offset);
    if (part.missingCount > 0) {
      const width = bytesPerElement[part.tensor.dtype] / bytesPerElement[dtype];
      const start = offset / bytesPerElement[dtype];
      missingCount += part.missingCount * width;
      for (let i = 0; i < part.missing.length; i++)
        if (part.missing[i] !== 0) missing.fill(1, start + i * width, start + (i + 1) * width);
    }
    offset += part.tensor.data.byteLength;
  }
  return { tensor, missing, missingCount };
}

/** Of frames that every tensor has, the only ones that any is predicted from. */
function joinReferences(own: readonly (readonly DecoderReference[])[]): DecoderReference[] {
  return own[0]!.flatMap(({ frame }) => {
    const values = own.flatMap((references) => {
      const found = references.find((reference) => reference.frame === frame);
      return found ? [found.values] : [];
    });
    if (values.length < own.length) return [];
    const joined = new Float32Array(values.reduce((sum, { length }) => sum + length, 0));
    let at = 0;
    for (const part of values) {
      joined.set(part, at);
      at += part.length;
    }
    return [{ frame, values: joined }];
  });
}
