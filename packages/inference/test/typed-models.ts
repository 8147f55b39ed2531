import { elementTypes } from "#src/onnx/value-type.js";
import { encodeMessage, type ModelMessage, type NodeMessage, type ValueMessage } from "./onnx-schema.js";

type ElementType = keyof typeof elementTypes;

function value(name: string, type: ElementType, dims: readonly (number | string)[]): ValueMessage {
  const dim = dims.map((size) => (typeof size === "number" ? { dim_value: size } : { dim_param: size }));
  return { name, type: { tensor_type: { elem_type: elementTypes[type], shape: { dim } } } };
}

function model(node: NodeMessage[], input: ValueMessage, output: ValueMessage): Uint8Array {
  const message: ModelMessage = {
    ir_version: 8,
    opset_import: [{ version: 13 }],
    graph: { name: "typed", node, initializer: [], input: [input], output: [output] },
  };
  return encodeMessage(message);
}

function cast(input: string, output: string, type: ElementType): NodeMessage {
  const attribute = [{ name: "to", type: 2, i: elementTypes[type] }];
  return { op_type: "Cast", input: [input], output: [output], attribute };
}

/** x [N,2] of one type, cast to the next and on to the last, if there is one: as `cast` and then `y`, else as `y`. */
export function castModel(from: ElementType, to: ElementType, last?: ElementType): Uint8Array {
  const nodes = last === undefined ? [cast("x", "y", to)] : [cast("x", "cast", to), cast("cast", "y", last)];
  return model(nodes, value("x", from, ["N", 2]), value("y", last ?? to, ["N", 2]));
}

/** x [N,2] as `y`, and `same` [2] beside it, which is [7, 8] for any input. */
export function constantOutputModel(): Uint8Array {
  const message: ModelMessage = {
    ir_version: 8,
    opset_import: [{ version: 13 }],
    graph: {
      name: "constant",
      node: [
        { op_type: "Neg", input: ["x"], output: ["y"] },
        { op_type: "Identity", input: ["k"], output: ["same"] },
      ],
      initializer: [{ name: "k", dims: [2], data_type: 1, float_data: [7, 8] }],
      input: [value("x", "float32", ["N", 2])],
      output: [value("y", "float32", ["N", 2]), value("same", "float32", [2])],
    },
  };
  return encodeMessage(message);
}

/** Of x [1,4] the places of what is not 0: y [2, so many], of int64. */
export function emptyModel(): Uint8Array {
  const nodes = [{ op_type: "NonZero", input: ["x"], output: ["y"] }];
  return model(nodes, value("x", "float32", [1, 4]), value("y", "int64", [2, "found"]));
}
