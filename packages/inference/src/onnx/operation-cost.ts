import { integerAttribute, type OnnxNode } from "./node.js";
import type { Dimension } from "./value-type.js";

/** Shapes of values by name, weights and results alike. */
export type KnownShapes = ReadonlyMap<string, readonly Dimension[]>;

/** Where the weights stand among the inputs of the operations that make up nearly all work. */
const weightInput: Readonly<Record<string, number>> = {
  Conv: 1,
  ConvInteger: 1,
  QLinearConv: 3,
  Gemm: 1,
  MatMul: 1,
  MatMulInteger: 1,
  QLinearMatMul: 3,
};

/** Sizes that are not known, the batch axis above all, count as 1. */
function product(shape: readonly Dimension[]): number {
  return shape.reduce<number>((all, size) => all * (typeof size === "number" ? size : 1), 1);
}

/** The values whose shapes {@link multiplyAdds} wants for a node; none where the node counts as free. */
export function costShapes(node: OnnxNode): readonly string[] {
  const at = weightInput[node.opType];
  const weight = at === undefined ? undefined : node.inputs[at];
  return weight === undefined ? [] : [weight, node.outputs[0] ?? ""];
}

/** Multiply-adds of one sample in a convolution or a matrix product; 0 for all else and for unknown shapes. */
export function multiplyAdds(node: OnnxNode, shapes: KnownShapes): number {
  const [weightName, outputName] = costShapes(node);
  const weight = shapes.get(weightName ?? "");
  const output = shapes.get(outputName ?? "");
  if (weight === undefined || output === undefined || weight.length === 0) return 0;
  // Conv's weights are [out, in / groups, kernel…]: each output element takes all but the first axis.
  if (node.opType.includes("Conv")) return product(output) * product(weight.slice(1));
  const inner =
    node.opType === "Gemm" && integerAttribute(node, "transB") === 1 ? weight.at(-1) : weight.at(-2);
  return product(output) * (typeof inner === "number" ? inner : 1);
}
