import { elementCount, type Tensor, type TensorSpec } from "@sluice/tensor";

/**
 * Tensors of frames that have ended, for frames that come: fresh memory for each frame would be filled with zeros and
 * mapped page by page, and the garbage collector would have to look for it again.
 */
export interface SpareTensors {
  /** One of this type and size with anything in it; `undefined` where there is none. */
  take(spec: TensorSpec): Tensor | undefined;
  /** Nobody looks at it any more. */
  give(tensor: Tensor): void;
}

/** Two full batches of what networks usually take. */
const maxBytes = 16 << 20;
const maxTensors = 64;

export function createSpareTensors(): SpareTensors {
  // The one that was given last is taken first: it is still in the processor's cache.
  const spare: Tensor[] = [];
  let bytes = 0;
  return {
    take(spec) {
      const count = elementCount(spec.shape);
      const at = spare.findLastIndex(({ dtype, data }) => dtype === spec.dtype && data.length === count);
      if (at < 0) return undefined;
      const [{ data }] = spare.splice(at, 1) as [Tensor];
      bytes -= data.byteLength;
      return { ...spec, data };
    },
    give(tensor) {
      if (tensor.data.byteLength > maxBytes) return;
      spare.push(tensor);
      bytes += tensor.data.byteLength;
      // Sizes that nobody asks for any more go in the end.
      while (bytes > maxBytes || spare.length > maxTensors) bytes -= spare.shift()!.data.byteLength;
    },
  };
}
