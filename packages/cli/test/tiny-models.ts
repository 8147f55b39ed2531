/** The small ONNX models of the tests of `inference`, typed here as far as they are used. */
interface Value {
  name: string;
  type?: undefined | { tensor_type: { elem_type: number; shape?: { dim: object[] } } };
}
interface ModelMessage {
  graph: {
    node: { op_type: string; input: string[]; output: string[] }[];
    initializer: { name?: string; dims: number[]; data_type: number; int64_data?: number[] }[];
    input: Value[];
    output: Value[];
  };
}

const module = new URL("../../../inference/dist/test/tiny-model.js", import.meta.url).href;

/** [N,3,8,8] -> relu_1 -> doubled -> add_1 -> logits [N,5], after an edit. */
export const { tinyModelBytes } = (await import(module)) as {
  tinyModelBytes(edit: (model: ModelMessage) => void): Uint8Array;
};

function float(name: string, sizes: readonly number[]): Value {
  const dim = [{ dim_param: "N" }, ...sizes.map((dim_value) => ({ dim_value }))];
  return { name, type: { tensor_type: { elem_type: 1, shape: { dim } } } };
}

/** The same with a second input `more` [N,4,8,8], which meets the first in `doubled`. */
export function twoInputModel(): Uint8Array {
  return tinyModelBytes(({ graph }) => {
    graph.input.push(float("more", [4, 8, 8]));
    graph.node.find(({ output }) => output[0] === "doubled")!.input = ["conv_2", "more"];
  });
}

/** The same with an input whose size is open, and a network that does not run at a size of one. */
export function openSizeModel(): Uint8Array {
  return tinyModelBytes(({ graph }) => {
    const sizes = graph.input[0]!.type!.tensor_type.shape!.dim;
    sizes[2] = { dim_param: "rows" };
    const node = graph.node.find(({ output }) => output[0] === "scaled")!;
    Object.assign(node, { op_type: "Reshape", input: ["conv_3", "whole"] });
    graph.initializer.push({ name: "whole", dims: [4], data_type: 7, int64_data: [-1, 4, 8, 8] });
  });
}

/** The same with what comes of `add_1` less the mean over its batch. */
export function batchMixingModel(): Uint8Array {
  return tinyModelBytes(({ graph }) => {
    const node = graph.node.find(({ output }) => output[0] === "scaled")!;
    const at = graph.node.indexOf(node);
    const attribute = [{ name: "axes", type: 7, ints: [0] }];
    const mean = { op_type: "ReduceMean", input: ["conv_3"], output: ["mean"], attribute };
    graph.node.splice(at, 0, mean);
    Object.assign(node, { op_type: "Sub", input: ["conv_3", "mean"] });
  });
}

/** The networks with two inputs of the tests of `inference`. */
export const severalInputsModels = (await import(
  new URL("../../../inference/dist/test/several-inputs-models.js", import.meta.url).href
)) as Readonly<Record<"imageAndIdsModel" | "twoBranchModel" | "maskedModel", () => Uint8Array>>;
