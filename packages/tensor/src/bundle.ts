import {
  bytesPerElement,
  checkSpec,
  createTensor,
  type Dtype,
  elementCount,
  specOfTensor,
  type Tensor,
  TensorError,
  type TensorSpec,
  tensorBytes,
} from "./tensor.js";

/** The type of the elements of a bundle (spec 6.14): the tensors' own where they have one, else what holds the bits of all. */
function bundleDtype(parts: readonly TensorSpec[]): Dtype {
  const dtypes = new Set(parts.map(({ dtype }) => dtype));
  if (dtypes.size === 1) return parts[0]!.dtype;
  return parts.every(({ dtype }) => bytesPerElement[dtype] === 4) ? "int32" : "uint8";
}

const bytesOf = ({ dtype, shape }: TensorSpec): number => elementCount(shape) * bytesPerElement[dtype];

/** What a bundle of tensors of these specs is: one axis over all of them. Of one tensor it is that tensor. */
export function bundleSpec(parts: readonly TensorSpec[]): TensorSpec {
  const [first, ...others] = parts;
  if (first === undefined) throw new TensorError("parts", "there are none");
  if (others.length === 0) return specOfTensor(first);
  const dtype = bundleDtype(parts);
  const bytes = parts.reduce((sum, part) => sum + bytesOf(part), 0);
  return { dtype, shape: [bytes / bytesPerElement[dtype]], layout: "any", parts: parts.map(specOfTensor) };
}

/** The most tensors that a bundle which names them may hold (spec 9, limits). */
export const maxBundleTensors = 256;

/**
 * Checks what a spec says that lies in its tensors (spec 6.14); one that says nothing is right.
 * @throws TensorError naming the field: fewer than two parts or more than {@link maxBundleTensors}, one that is a bundle or that
 *   `checkSpec` refuses, or a spec that is not that of the bundle of its parts
 */
export function checkBundle(spec: TensorSpec): void {
  const { parts } = spec;
  if (!parts) return;
  if (parts.length < 2 || parts.length > maxBundleTensors) {
    throw new TensorError(
      "parts",
      `${parts.length}, a bundle that names them has 2 to ${maxBundleTensors} tensors`,
    );
  }
  for (const [place, part] of parts.entries()) {
    if (part.parts) throw new TensorError("parts", `number ${place} is a bundle, and may only be a tensor`);
    try {
      checkSpec(part);
    } catch (error) {
      throw new TensorError("parts", `number ${place}: ${(error as Error).message}`);
    }
  }
  const wanted = bundleSpec(parts);
  if (
    wanted.dtype !== spec.dtype ||
    spec.layout !== "any" ||
    spec.shape.length !== 1 ||
    spec.shape[0] !== wanted.shape[0]
  ) {
    throw new TensorError(
      "parts",
      `their bundle is ${wanted.dtype} [${wanted.shape.join(", ")}], the spec says ${spec.dtype} [${spec.shape.join(", ")}]`,
    );
  }
}

/**
 * Puts the tensors of a frame one behind the other into one, bit by bit; one alone stays as it is.
 * @throws TensorError where there are none, or more elements than a tensor may have
 */
export function packTensors(tensors: readonly Tensor[]): Tensor {
  if (tensors.length === 1) return tensors[0]!;
  const { dtype, shape, parts } = bundleSpec(tensors);
  const bundle: Tensor = { ...createTensor(dtype, shape, undefined, "any"), ...(parts ? { parts } : {}) };
  const bytes = tensorBytes(bundle);
  let offset = 0;
  for (const tensor of tensors) {
    bytes.set(tensorBytes(tensor), offset);
    offset += tensor.data.byteLength;
  }
  return bundle;
}

/**
 * Takes the tensors out of a bundle, as copies; one alone is itself.
 * @param parts what lies in it, in order
 * @throws TensorError where the bundle is of another type or size
 */
export function unpackTensors(bundle: Tensor, parts: readonly TensorSpec[]): Tensor[] {
  if (parts.length === 1) return [bundle];
  const wanted = bundleSpec(parts);
  if (bundle.dtype !== wanted.dtype || elementCount(bundle.shape) !== wanted.shape[0]) {
    throw new TensorError(
      "bundle",
      `is ${bundle.dtype} [${bundle.shape.join(", ")}], its ${parts.length} tensors take ${wanted.dtype} [${wanted.shape.join(", ")}]`,
    );
  }
  const bytes = tensorBytes(bundle);
  let offset = 0;
  return parts.map(({ dtype, shape, layout }) => {
    const tensor = createTensor(dtype, shape, undefined, layout);
    const into = tensorBytes(tensor);
    into.set(bytes.subarray(offset, offset + into.length));
    offset += into.length;
    return tensor;
  });
}
