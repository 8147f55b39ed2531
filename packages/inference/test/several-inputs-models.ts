import { createSeededRandom } from "@sluice/inference";
import { elementTypes } from "#src/onnx/value-type.js";
import { encodeMessage, type NodeMessage, type TensorMessage, type ValueMessage } from "./onnx-schema.js";

type Sizes = readonly (number | string)[];

function value(name: string, type: keyof typeof elementTypes, sizes: Sizes): ValueMessage {
  const dim = sizes.map((size) => (typeof size === "number" ? { dim_value: size } : { dim_param: size }));
  return { name, type: { tensor_type: { elem_type: elementTypes[type], shape: { dim } } } };
}

function weights(name: string, dims: number[], seed: number): TensorMessage {
  const random = createSeededRandom(seed);
  const values = Float32Array.from({ length: dims.reduce((a, b) => a * b, 1) }, () => random() - 0.5);
  return { name, dims, data_type: 1, raw_data: new Uint8Array(values.buffer) };
}

const ints = (name: string, values: number[]) => [{ name, type: 7, ints: values }];

function node(
  op_type: string,
  input: string[],
  output: string,
  attribute?: NodeMessage["attribute"],
): NodeMessage {
  return { op_type, input, output: [output], ...(attribute ? { attribute } : {}) };
}

function encode(
  nodes: NodeMessage[],
  input: ValueMessage[],
  initializer: TensorMessage[],
  output: ValueMessage[],
): Uint8Array {
  const graph = { name: "several inputs", node: nodes, initializer, input, output };
  return encodeMessage({ ir_version: 8, opset_import: [{ version: 13 }], graph });
}

/**
 * image [N,3,8,8] -> conv -> relu -> pooled -> seen [N,4], and ids [N,5] of int64 -> found -> words [N,4], which meet in joined
 * and go on to logits [N,6].
 */
export function imageAndIdsModel(): Uint8Array {
  return encode(
    [
      node("Conv", ["image", "w1"], "conv", ints("pads", [1, 1, 1, 1])),
      node("Relu", ["conv"], "relu"),
      node("GlobalAveragePool", ["relu"], "pooled"),
      node("Flatten", ["pooled"], "seen"),
      node("Gather", ["table", "ids"], "found"),
      node("ReduceMean", ["found"], "words", [...ints("axes", [1]), { name: "keepdims", type: 2, i: 0 }]),
      node("Add", ["seen", "words"], "joined"),
      node("MatMul", ["joined", "w2"], "logits"),
    ],
    [value("image", "float32", ["N", 3, 8, 8]), value("ids", "int64", ["N", 5])],
    [weights("w1", [4, 3, 3, 3], 1), weights("table", [10, 4], 2), weights("w2", [4, 6], 3)],
    [value("logits", "float32", ["N", 6])],
  );
}

/** left [1,4,4] -> left_1 -> left_2 and right [1,4,4] -> right_1 -> right_2, which meet in sum and go on to out. */
export function twoBranchModel(): Uint8Array {
  return encode(
    [
      node("MatMul", ["left", "w1"], "left_1"),
      node("Tanh", ["left_1"], "left_2"),
      node("MatMul", ["right", "w2"], "right_1"),
      node("Tanh", ["right_1"], "right_2"),
      node("Add", ["left_2", "right_2"], "sum"),
      node("MatMul", ["sum", "w1"], "out"),
    ],
    [value("left", "float32", [1, 4, 4]), value("right", "float32", [1, 4, 4])],
    [weights("w1", [4, 4], 1), weights("w2", [4, 4], 2)],
    [value("out", "float32", [1, 4, 4])],
  );
}

/** x [N,8] and mask [N,8] of bool, by which all but some elements are zeroed again and again: kept_1, kept_2, then y [N,8]. */
export function maskedModel(): Uint8Array {
  return encode(
    [
      node("MatMul", ["x", "w1"], "first"),
      node("Where", ["mask", "first", "zero"], "kept_1"),
      node("MatMul", ["kept_1", "w2"], "second"),
      node("Where", ["mask", "second", "zero"], "kept_2"),
      node("MatMul", ["kept_2", "w1"], "third"),
      node("Where", ["mask", "third", "zero"], "y"),
    ],
    [value("x", "float32", ["N", 8]), value("mask", "bool", ["N", 8])],
    [
      weights("w1", [8, 8], 1),
      weights("w2", [8, 8], 2),
      { name: "zero", dims: [], data_type: 1, float_data: [0] },
    ],
    [value("y", "float32", ["N", 8])],
  );
}
