import { ModelError } from "../model-error.js";
import { type OnnxNode, parseNode } from "./node.js";
import { decodeValueInfo, type ValueInfo } from "./value-type.js";
import {
  appendIntegers,
  encodeMessageField,
  fieldMessage,
  fieldText,
  joinFields,
  readFields,
} from "./wire-fields.js";

/** A named constant of a graph. */
export interface OnnxInitializer {
  readonly raw: Uint8Array;
  readonly name: string;
  readonly dims: readonly number[];
  /** Its values lie in another file; see `external-weights.ts`. */
  readonly external: boolean;
}

/** A declared input, output or inner value. */
export interface OnnxValue extends ValueInfo {
  readonly raw: Uint8Array;
}

/** Quantization parameters (scale, zero point) of a tensor: the names of initializers. */
export interface OnnxQuantization {
  readonly raw: Uint8Array;
  readonly tensor: string;
  readonly parameters: readonly string[];
}

/** GraphProto: everything as the bytes it came in, with the names parsed. `raw` is the whole field with its tag. */
export interface OnnxGraph {
  readonly nodes: readonly OnnxNode[];
  readonly initializers: readonly OnnxInitializer[];
  readonly inputs: readonly OnnxValue[];
  readonly outputs: readonly OnnxValue[];
  readonly values: readonly OnnxValue[];
  readonly quantizations: readonly OnnxQuantization[];
  /** Name, description, metadata and fields that this code does not know. */
  readonly rest: readonly Uint8Array[];
}

/** ModelProto: one graph and everything else (versions, opset imports, functions, metadata, …) as it came. */
export interface OnnxModel {
  readonly graph: OnnxGraph;
  readonly rest: readonly Uint8Array[];
}

/** The largest model that is read: protobuf's own limit of 2 GiB for a message. */
export const maxModelBytes = 2 ** 31 - 1;

/**
 * Reads a TensorProto or SparseTensorProto.
 * @param raw the field of the graph that it is the payload of
 * @throws ModelError `not-onnx`
 */
export function parseInitializer(raw: Uint8Array, payload: Uint8Array, sparse: boolean): OnnxInitializer {
  let name = "";
  let external = false;
  let dims: number[] = [];
  for (const field of readFields(payload, sparse ? "SparseTensorProto" : "TensorProto")) {
    if (sparse) {
      // SparseTensorProto: values (whose name is the tensor's), indices, dims.
      if (field.number === 1) name = parseInitializer(raw, fieldMessage(field, "values"), false).name;
      else if (field.number === 3) appendIntegers(dims, field, "SparseTensorProto.dims");
    } else if (field.number === 1) appendIntegers(dims, field, "TensorProto.dims");
    else if (field.number === 8) name = fieldText(field, "TensorProto.name");
    else if (field.number === 14) external = field.value === 1;
  }
  if (dims.length > 64) dims = dims.slice(0, 64);
  return { raw, name, dims, external };
}

function parseQuantization(raw: Uint8Array, payload: Uint8Array): OnnxQuantization {
  let tensor = "";
  const parameters: string[] = [];
  for (const field of readFields(payload, "TensorAnnotation")) {
    if (field.number === 1) tensor = fieldText(field, "TensorAnnotation.tensor_name");
    else if (field.number === 2) {
      for (const entry of readFields(
        fieldMessage(field, "quant_parameter_tensor_names"),
        "StringStringEntryProto",
      )) {
        if (entry.number === 2) parameters.push(fieldText(entry, "StringStringEntryProto.value"));
      }
    }
  }
  return { raw, tensor, parameters };
}

function parseGraph(payload: Uint8Array): OnnxGraph {
  const nodes: OnnxNode[] = [];
  const initializers: OnnxInitializer[] = [];
  const inputs: OnnxValue[] = [];
  const outputs: OnnxValue[] = [];
  const values: OnnxValue[] = [];
  const quantizations: OnnxQuantization[] = [];
  const rest: Uint8Array[] = [];
  for (const field of readFields(payload, "GraphProto")) {
    const { raw } = field;
    const message = (what: string): Uint8Array => fieldMessage(field, `GraphProto.${what}`);
    if (field.number === 1) nodes.push(parseNode(raw, message("node")));
    else if (field.number === 5) initializers.push(parseInitializer(raw, message("initializer"), false));
    else if (field.number === 15)
      initializers.push(parseInitializer(raw, message("sparse_initializer"), true));
    else if (field.number === 11) inputs.push({ raw, ...decodeValueInfo(message("input")) });
    else if (field.number === 12) outputs.push({ raw, ...decodeValueInfo(message("output")) });
    else if (field.number === 13) values.push({ raw, ...decodeValueInfo(message("value_info")) });
    else if (field.number === 14)
      quantizations.push(parseQuantization(raw, message("quantization_annotation")));
    else rest.push(raw);
  }
  return { nodes, initializers, inputs, outputs, values, quantizations, rest };
}

/**
 * Reads an ONNX model without decoding weights; the result holds views into `bytes`.
 * @throws ModelError `not-onnx` if the bytes are no ModelProto with a graph that has an output, `too-large` over
 *   {@link maxModelBytes}
 */
export function parseModel(bytes: Uint8Array): OnnxModel {
  if (bytes.length === 0) throw new ModelError("not-onnx", "the model is empty (0 bytes)");
  if (bytes.length > maxModelBytes) {
    throw new ModelError(
      "too-large",
      `the model has ${bytes.length} bytes, at most ${maxModelBytes} are allowed`,
    );
  }
  let graph: Uint8Array | undefined;
  const rest: Uint8Array[] = [];
  for (const field of readFields(bytes, "ModelProto")) {
    if (field.number !== 7) {
      rest.push(field.raw);
      continue;
    }
    if (graph !== undefined) throw new ModelError("not-onnx", "ModelProto.graph: there is more than one");
    graph = fieldMessage(field, "ModelProto.graph");
  }
  if (graph === undefined)
    throw new ModelError("not-onnx", "ModelProto.graph: there is none, so this is not a model");
  const parsed = parseGraph(graph);
  if (parsed.outputs.length === 0)
    throw new ModelError("not-onnx", "GraphProto.output: the graph has no output");
  return { graph: parsed, rest };
}

/** Encodes a model; the graph is put last, its fields grouped by kind and otherwise in their order. */
export function encodeModel(model: OnnxModel): Uint8Array {
  const { graph } = model;
  const fields: Uint8Array[] = [...graph.rest];
  for (const part of [graph.nodes, graph.initializers, graph.inputs, graph.outputs, graph.values]) {
    for (const { raw } of part) fields.push(raw);
  }
  for (const { raw } of graph.quantizations) fields.push(raw);
  return joinFields([...model.rest, encodeMessageField(7, joinFields(fields))]);
}

/** The graph's inputs that a caller must give: those without a default among the initializers. */
export function requiredInputs(graph: OnnxGraph): readonly OnnxValue[] {
  const defaults = new Set(graph.initializers.map((initializer) => initializer.name));
  return graph.inputs.filter((input) => !defaults.has(input.name));
}
