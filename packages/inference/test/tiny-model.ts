import { createSeededRandom } from "@sluice/inference";
import {
  encodeMessage,
  floatValue,
  type ModelMessage,
  type NodeMessage,
  type TensorMessage,
} from "./onnx-schema.js";

function weights(name: string, dims: number[], seed: number): TensorMessage {
  const random = createSeededRandom(seed);
  const count = dims.reduce((product, size) => product * size, 1);
  const values = Float32Array.from({ length: count }, () => random() - 0.5);
  return { name, dims, data_type: 1, raw_data: new Uint8Array(values.buffer) };
}

function conv(input: string, weight: string, output: string): NodeMessage {
  return {
    op_type: "Conv",
    name: `make ${output}`,
    input: [input, weight, "bias"],
    output: [output],
    attribute: [{ name: "pads", type: 7, ints: [1, 1, 1, 1] }],
  };
}

/**
 * input [N,3,8,8] -> conv -> relu_1 -> conv -> add_1 (a residual sum) -> scaled -> pooled -> flat -> logits [N,5].
 * `bias` is used on both sides of `add_1`, `two` comes from a Constant node used on both sides, `dead` leads nowhere.
 */
export function tinyModel(): ModelMessage {
  return {
    ir_version: 8,
    producer_name: "sluice tests",
    opset_import: [{ domain: "", version: 13 }],
    metadata_props: [{ key: "note", value: "kept" }],
    functions: [],
    unheard_of: "from a newer onnx.proto",
    graph: {
      name: "tiny",
      node: [
        {
          op_type: "Constant",
          input: [],
          output: ["two"],
          attribute: [{ name: "value", type: 4, t: { dims: [], data_type: 1, float_data: [2] } }],
        },
        conv("input", "w1", "conv_1"),
        { op_type: "Relu", input: ["conv_1"], output: ["relu_1"] },
        { op_type: "Neg", input: ["relu_1"], output: ["dead"] },
        conv("relu_1", "w2", "conv_2"),
        { op_type: "Mul", input: ["conv_2", "two"], output: ["doubled"] },
        { op_type: "Add", input: ["relu_1", "doubled"], output: ["add_1"] },
        conv("add_1", "w2", "conv_3"),
        { op_type: "Mul", input: ["conv_3", "two"], output: ["scaled"] },
        { op_type: "GlobalAveragePool", input: ["scaled"], output: ["pooled"] },
        { op_type: "Flatten", input: ["pooled"], output: ["flat"] },
        {
          op_type: "Gemm",
          input: ["flat", "w4", "b4"],
          output: ["logits"],
          attribute: [{ name: "transB", type: 2, i: 1 }],
        },
      ],
      initializer: [
        weights("w1", [4, 3, 3, 3], 1),
        weights("w2", [4, 4, 3, 3], 2),
        weights("bias", [4], 3),
        weights("w4", [5, 4], 4),
        weights("b4", [5], 5),
      ],
      input: [floatValue("input", ["N", 3, 8, 8])],
      output: [floatValue("logits", ["N", 5])],
    },
  };
}

/** The tiny model's bytes, after an edit. */
export function tinyModelBytes(edit: (model: ModelMessage) => void = () => {}): Uint8Array {
  const model = tinyModel();
  edit(model);
  return encodeMessage(model);
}

/**
 * A model whose If node captures values of the graph around: input [N,4] -> a -> cut_here -> If(flag){cut_here + a or
 * cut_here} when `bypass`, else {cut_here + cut_here} -> out.
 */
export function conditionalModelBytes(bypass: boolean): Uint8Array {
  const branch = (name: string, node: NodeMessage) => ({
    name,
    node: [node],
    initializer: [],
    input: [],
    output: [floatValue(node.output[0]!, ["N", 4])],
  });
  const other = bypass ? "a" : "cut_here";
  return encodeMessage({
    ir_version: 8,
    opset_import: [{ version: 13 }],
    graph: {
      name: "conditional",
      node: [
        { op_type: "Relu", input: ["input"], output: ["a"] },
        { op_type: "Neg", input: ["a"], output: ["cut_here"] },
        {
          op_type: "If",
          input: ["flag"],
          output: ["out"],
          attribute: [
            {
              name: "then_branch",
              type: 5,
              g: branch("then", { op_type: "Add", input: ["cut_here", other], output: ["sum"] }),
            },
            {
              name: "else_branch",
              type: 5,
              g: branch("else", { op_type: "Identity", input: ["cut_here"], output: ["same"] }),
            },
          ],
        },
      ],
      initializer: [{ name: "flag", dims: [], data_type: 9, raw_data: Uint8Array.of(1) }],
      input: [floatValue("input", ["N", 4])],
      output: [floatValue("out", ["N", 4])],
    },
  });
}
