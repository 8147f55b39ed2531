import { elementCount, type Tensor, TensorError, type TensorSpec } from "@sluice/tensor";

/** @throws TensorError unless the tensor is one of the stream's */
export function checkTensor(tensor: Tensor, spec: TensorSpec): void {
  if (tensor.dtype !== spec.dtype) {
    throw new TensorError("tensor.dtype", `${tensor.dtype}, the stream's is ${spec.dtype}`);
  }
  const elements = elementCount(spec.shape);
  if (tensor.data.length !== elements) {
    throw new TensorError(
      "tensor.data",
      `${tensor.data.length} elements, the stream's tensors have ${elements}`,
    );
  }
}
