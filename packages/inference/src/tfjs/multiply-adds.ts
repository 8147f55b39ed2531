/** Multiply-adds of layers and operations of TensorFlow.js, whose tensors have their channels last. */

function product(shape: readonly (number | string | null)[]): number {
  return shape.reduce<number>((all, size) => all * (typeof size === "number" ? size : 1), 1);
}

type Shape = readonly (number | string | null)[];

/**
 * Multiply-adds of one sample in a layer; 0 for layers that do little work, and for those not known.
 * @param weights the shapes of the layer's weights, in its order (kernels before biases)
 * @param input, output with the batch axis
 */
export function layerMultiplyAdds(
  className: string,
  weights: readonly Shape[],
  input: Shape | undefined,
  output: Shape | undefined,
): number {
  const [kernel, second] = weights;
  if (kernel === undefined || input === undefined || output === undefined) return 0;
  // Positions of the output, without batch and channels.
  const positions = product(output.slice(1, -1));
  switch (className) {
    case "Dense":
    case "Conv1D":
    case "Conv2D":
    case "Conv3D":
    case "DepthwiseConv2D":
      return positions * product(kernel);
    case "SeparableConv2D":
      return positions * (product(kernel) + (second === undefined ? 0 : product(second)));
    case "Conv2DTranspose":
    case "Conv3DTranspose":
      return product(input.slice(1, -1)) * product(kernel);
    case "SimpleRNN":
    case "LSTM":
    case "GRU":
      // At each step the kernel is applied to the input and the recurrent kernel to the state.
      return product(input.slice(1, -1)) * (product(kernel) + (second === undefined ? 0 : product(second)));
    default:
      return 0;
  }
}

/** Where an operation of a GraphModel has its weights, and how they count. */
const graphKernels: Readonly<Record<string, "output" | "input" | "matrix">> = {
  Conv1D: "output",
  Conv2D: "output",
  _FusedConv2D: "output",
  Conv3D: "output",
  DepthwiseConv2d: "output",
  DepthwiseConv2dNative: "output",
  FusedDepthwiseConv2dNative: "output",
  Conv2DBackpropInput: "input",
  Conv2dTranspose: "input",
  MatMul: "matrix",
  _FusedMatMul: "matrix",
  BatchMatMul: "matrix",
  BatchMatMulV2: "matrix",
};

/** Whether an operation does work that is counted. */
export function countsWork(opType: string): boolean {
  return graphKernels[opType] !== undefined;
}

/**
 * Multiply-adds of one sample in an operation of a GraphModel; 0 for unknown shapes.
 * @param first, second, third the shapes of its inputs with the batch axis, of weights without
 */
export function graphMultiplyAdds(
  opType: string,
  first: Shape | undefined,
  second: Shape | undefined,
  third: Shape | undefined,
  output: Shape | undefined,
): number {
  if (output === undefined) return 0;
  switch (graphKernels[opType]) {
    case "output":
      return second === undefined ? 0 : product(output.slice(1, -1)) * product(second);
    case "input":
      // A transposed convolution: a wanted shape, the weights, and what they are applied to.
      return second === undefined || third === undefined ? 0 : product(third.slice(1, -1)) * product(second);
    case "matrix": {
      const inner = first?.at(-1);
      return typeof inner === "number" ? product(output.slice(1)) * inner : 0;
    }
    default:
      return 0;
  }
}
