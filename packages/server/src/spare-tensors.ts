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
    take({ dtype, shape, layout }) {
      const count = elementCount(shape);
      let at = spare.length - 1;
      while (at >= 0 && (spare[at]!.dtype !== dtype || spare[at]!.data.length !== count)) at--;
      if (at < 0) return undefined;
      const { data } = spare[at]!;
      if (at === spare.length - 1) spare.pop();
      else spare.splice(at, 1);
      bytes -= data.byteLength;
      // Made as all others are: a spread gives each tensor a form of its own, which slows down all that reads them.
      return { dtype, shape, layout, data } as Tensor;
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
