import type { Reach } from "../graph/check-cut.js";
import { ModelError } from "../model-error.js";
import { encodeModel, type OnnxGraph, type OnnxModel, type OnnxValue } from "./model.js";
import type { OnnxNode } from "./node.js";
import { checkCut } from "./onnx-flow.js";
import { encodeValueInfo, type ValueInfo, type ValueType } from "./value-type.js";
import { encodeMessageField } from "./wire-fields.js";

/** A model cut in two: `tail(head(input))` is `model(input)`. */
export interface ModelSplit {
  /** An ONNX model from the whole's inputs, as far as they are needed, to the cut. */
  readonly head: Uint8Array;
  /** An ONNX model from the cut, and from inputs that enter behind it, to the whole's outputs. */
  readonly tail: Uint8Array;
  /** The first of what is named. */
  readonly cut: ValueInfo & { readonly type: ValueType };
}

/** A part of the graph: the nodes reached and all that they refer to. */
function subgraph(
  graph: OnnxGraph,
  reach: Reach<OnnxNode>,
  inputs: readonly OnnxValue[],
  outputs: readonly OnnxValue[],
) {
  const boundary = new Set([...inputs, ...outputs].map((value) => value.name));
  const quantizations = graph.quantizations.filter((annotation) => reach.values.has(annotation.tensor));
  const parameters = new Set(quantizations.flatMap((annotation) => annotation.parameters));
  const constants = graph.initializers.filter(({ name }) => reach.values.has(name) || parameters.has(name));
  const constantNames = new Set(constants.map(({ name }) => name));
  return {
    nodes: graph.nodes.filter((node) => reach.nodes.has(node)),
    initializers: constants,
    // Before IR version 4 an initializer had to be declared as an input, too.
    inputs: [...inputs, ...graph.inputs.filter(({ name }) => constantNames.has(name) && !boundary.has(name))],
    outputs,
    // Nothing needs them, and where they are wrong, a runtime takes them for the shapes of the outputs.
    values: [],
    quantizations,
    rest: graph.rest,
  };
}

/** TrainingInfoProto names nodes and weights of the whole model: it has no meaning for a half. */
function withoutTraining(model: OnnxModel): readonly Uint8Array[] {
  return model.rest.filter((raw) => !(raw[0] === 0xa2 && raw[1] === 0x01));
}

/**
 * Cuts a model at a value, or at several. Each half keeps the nodes, weights, constants and annotations that it needs (those
 * that both need are in both) and the whole model's versions, opset imports, functions and metadata; training
 * information and the declared shapes of inner values are left out.
 * @param types what values are; of others the type that the model declares is taken
 * @throws ModelError `unknown-name`, `illegal-cut`, `invalid-graph`, and `missing-type` where there is no type
 */
export function splitGraph(
  model: OnnxModel,
  cut: string,
  types: ReadonlyMap<string, ValueType> = new Map(),
): ModelSplit {
  const { graph } = model;
  const { head, tail, values } = checkCut(graph, cut);
  const infos = values.map((name) => {
    const type = types.get(name) ?? graph.values.find((value) => value.name === name)?.type;
    if (type !== undefined && type !== null) return { name, type };
    throw new ModelError("missing-type", `cut "${name}": the model does not say what type it has`);
  });
  const asField = (field: number) =>
    infos.map((info) => ({ ...info, raw: encodeMessageField(field, encodeValueInfo(info)) }));
  const rest = withoutTraining(model);
  const entering = [...asField(11), ...halfInputs(model, tail)];
  return {
    head: encodeModel({ graph: subgraph(graph, head, halfInputs(model, head), asField(12)), rest }),
    tail: encodeModel({ graph: subgraph(graph, tail, entering, graph.outputs), rest }),
    cut: infos[0]!,
  };
}

/**
 * What makes the values of a cut, as a model with them as its only outputs; their types are left open.
 * @throws ModelError `unknown-name`, `illegal-cut`, `invalid-graph`
 */
export function headGraph(
  model: OnnxModel,
  cut: string,
): { readonly bytes: Uint8Array; readonly values: readonly string[] } {
  const { graph } = model;
  const { head, values } = checkCut(graph, cut);
  const half = subgraph(graph, head, halfInputs(model, head), values.map(untypedOutput));
  return { bytes: encodeModel({ graph: half, rest: withoutTraining(model) }), values };
}

/** The inputs of the whole on which a half depends. */
function halfInputs({ graph }: OnnxModel, half: Reach<OnnxNode>): OnnxValue[] {
  const constants = new Set(graph.initializers.map(({ name }) => name));
  return graph.inputs.filter(({ name }) => half.values.has(name) && !constants.has(name));
}

/** The model with some of its values as its only outputs, so that a runtime tells what they are, whatever the model declares. */
export function withOutputs(model: OnnxModel, names: readonly string[]): Uint8Array {
  return encodeModel({ ...model, graph: { ...model.graph, outputs: names.map(untypedOutput), values: [] } });
}

function untypedOutput(name: string): OnnxValue {
  const info = { name, type: null };
  return { ...info, raw: encodeMessageField(12, encodeValueInfo(info)) };
}
