import {
  bytesPerElement,
  elementCount,
  isFloatDtype,
  type Tensor,
  TensorError,
  type TensorSpec,
  tensorBytes,
  unpackTensors,
} from "@sluice/tensor";
import type { Concealer, ConcealmentReference } from "./concealer-api.js";
import { type ConcealmentMethod, needsStatistics } from "./concealment-method.js";

/** A tensor in a bundle, and who fills its gaps. */
interface Part {
  readonly concealer: Concealer;
  /** Of the bundle: where it begins, and how many of them each of its elements takes. */
  readonly start: number;
  readonly width: number;
}

/**
 * Fills gaps in bundles (spec 6.14), of each tensor by itself: floats by the method, whole numbers by 0, as the mean of places
 * in a table is another place.
 * @throws TensorError for a method that needs statistics, which are of one tensor
 */
export function createBundleConcealer(
  spec: TensorSpec,
  parts: readonly TensorSpec[],
  method: ConcealmentMethod,
  createConcealer: (part: TensorSpec, method: ConcealmentMethod) => Concealer,
): Concealer {
  if (needsStatistics(method)) {
    throw new TensorError(
      "concealment",
      `${method} needs statistics, which are of one tensor; a bundle of ${parts.length} takes auto, zero, channel-mean, spatial or temporal`,
    );
  }
  const elements = elementCount(spec.shape);
  let end = 0;
  const planned = parts.map((part): Part => {
    const width = bytesPerElement[part.dtype] / bytesPerElement[spec.dtype];
    const start = end;
    end += width * elementCount(part.shape);
    const concealer = createConcealer(part, isFloatDtype(part.dtype) ? method : "zero");
    return { concealer, start, width };
  });
  return {
    method,
    conceal(bundle, missing, reference) {
      if (missing.length !== elements)
        throw new TensorError("missing", `${missing.length} elements, the tensor has ${elements}`);
      const tensors = unpackTensors(bundle, parts);
      const earlier = reference && unpackTensors(reference.tensor, parts);
      const bytes = tensorBytes(bundle);
      for (const [i, { concealer, start, width }] of planned.entries()) {
        const tensor = tensors[i]!;
        const mask = missingOf(missing, start, width, tensor);
        if (!mask.includes(1)) continue;
        concealer.conceal(tensor, mask, referenceOf(earlier?.[i], reference));
        bytes.set(tensorBytes(tensor), start * bytesPerElement[spec.dtype]);
      }
    },
  };
}

/** An element of a tensor is missing where any of what it takes in the bundle is. */
function missingOf(missing: Uint8Array, start: number, width: number, { data }: Tensor): Uint8Array {
  const mask = new Uint8Array(data.length);
  for (let at = 0; at < data.length * width; at++) {
    if (missing[start + at] !== 0) mask[Math.floor(at / width)] = 1;
  }
  return mask;
}

function referenceOf(
  tensor: Tensor | undefined,
  reference: ConcealmentReference | undefined,
): ConcealmentReference | undefined {
  const framesBefore = reference?.framesBefore;
  return tensor && { tensor, ...(framesBefore === undefined ? {} : { framesBefore }) };
}
