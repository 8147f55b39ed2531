import type { TensorSpec } from "@sluice/tensor";
import type { Cut, IllegalCut } from "./cut.js";
import { findTypes } from "./find-types.js";
import { describeCuts, describeIllegalCuts, type KnownGraph } from "./graph/describe-cuts.js";
import { findCuts } from "./graph/find-cuts.js";
import { ModelError } from "./model-error.js";
import { type OnnxModel, parseModel, requiredInputs } from "./onnx/model.js";
import type { OnnxNode } from "./onnx/node.js";
import { analyseDataFlow } from "./onnx/onnx-flow.js";
import { costShapes, type KnownShapes, multiplyAdds } from "./onnx/operation-cost.js";
import { headGraph, type ModelSplit, splitGraph } from "./onnx/split-graph.js";
import { elementTypeName, type ValueInfo, type ValueType } from "./onnx/value-type.js";
import type { OnnxruntimeOptions } from "./onnxruntime/open-onnx-session.js";
import {
  describeOutputValue,
  describeValue,
  isSendable,
  type OutputInfo,
  specOf,
  withinLimits,
} from "./tensor-info.js";

function knownShapes(model: OnnxModel, probed: ReadonlyMap<string, ValueType>): KnownShapes {
  const shapes = new Map<string, NonNullable<ValueType["shape"]>>();
  for (const { name, dims } of model.graph.initializers) shapes.set(name, dims);
  for (const [name, type] of probed) if (type.shape !== null) shapes.set(name, type.shape);
  return shapes;
}

/** What a value is without the batch axis, or why it cannot be sent. */
function sendableOf(name: string, type: ValueType | undefined): TensorSpec | string {
  if (type === undefined) return "is not a tensor";
  if (type.shape === null) return "its first axis is not the batch axis";
  if (!isSendable(type)) {
    return `elements of type ${elementTypeName(type.elementType)} cannot be sent`;
  }
  if (type.shape.includes(0)) return "is empty for an input of zeros: its size depends on the input's values";
  return withinLimits(specOf(describeValue({ name, type })));
}

/** What an input is without the batch axis, or why it cannot be sent. */
function sendableInput(value: ValueInfo): TensorSpec | string {
  try {
    return withinLimits(specOf(describeValue(value)));
  } catch (error) {
    if (error instanceof ModelError) return error.message;
    throw error;
  }
}

/** A model's graph, with what its values and outputs are. */
export interface ExaminedGraph extends KnownGraph<OnnxNode> {
  /** @throws ModelError for one that cannot be carried */
  outputs(): readonly OutputInfo[];
  typeOf(name: string): ValueType | undefined;
}

/**
 * A model's graph with the types of the values that everything flows through, of its outputs, and of what the work needs.
 * Zeros are run through the model once or twice; where it does not run, what it declares is taken.
 * @throws ModelError for bytes that are no model, EngineError for a model that neither runs nor declares all that
 */
export async function examineGraph(
  bytes: Uint8Array,
  options: OnnxruntimeOptions = {},
): Promise<ExaminedGraph> {
  const model = parseModel(bytes);
  const flow = analyseDataFlow(model.graph);
  const { nodes, cuts } = findCuts(flow);
  const constants = new Set(model.graph.initializers.map(({ name }) => name));
  const asked = new Set([
    ...cuts.flatMap(({ values }) => values),
    ...flow.outputs,
    ...nodes.flatMap(costShapes),
  ]);
  const names = [...asked].filter((name) => name !== "" && !constants.has(name) && !flow.inputs.has(name));
  const { types, misdeclared } = await findTypes(bytes, model, names, options);
  const shapes = knownShapes(model, types);
  const inputs = new Map(requiredInputs(model.graph).map((value) => [value.name, value]));
  return {
    flow,
    misdeclared,
    outputs: () => model.graph.outputs.map((output) => describeOutputAs(output, types.get(output.name))),
    typeOf: (name) => types.get(name),
    multiplyAdds: (node) => multiplyAdds(node, shapes),
    sendable(name) {
      const input = inputs.get(name);
      return input ? sendableInput(input) : sendableOf(name, types.get(name));
    },
  };
}

/** An output as a run gives it; one whose first axis is not the batch's, or that no run gave, as the model declares it. */
function describeOutputAs(output: ValueInfo, measured: ValueType | undefined): OutputInfo {
  const isKnown = measured !== undefined && measured.shape !== null;
  return describeOutputValue(isKnown ? { name: output.name, type: measured } : output);
}

/**
 * Every tensor at which a model can be cut, from the input to the output, as a run of zeros through it gives them.
 * @throws ModelError for bytes that are no model, EngineError for a model that neither runs nor declares its inner tensors
 */
export async function listCuts(bytes: Uint8Array, options: OnnxruntimeOptions = {}): Promise<Cut[]> {
  return describeCuts(await examineGraph(bytes, options));
}

/**
 * Every other inner tensor, and why it is no cut; see {@link describeIllegalCuts}.
 * @throws ModelError for bytes that are no model, EngineError for a model that does not run
 */
export async function listIllegalCuts(
  bytes: Uint8Array,
  options: OnnxruntimeOptions = {},
): Promise<IllegalCut[]> {
  return describeIllegalCuts(await examineGraph(bytes, options));
}

/**
 * Cuts a model at a tensor, or at several (`left+right`): `tail(head(input))` is `model(input)`, bit by bit with graph
 * optimization disabled. What the tensors are is measured by running zeros through what comes before them.
 * @param typeOf what they are, where the whole model has been run before
 * @throws ModelError `unknown-name` with the nearest names, `illegal-cut` naming the path that bypasses the cut,
 *   `unsupported` for a tensor that cannot be sent
 */
export async function splitModel(
  bytes: Uint8Array,
  tensorName: string,
  options: OnnxruntimeOptions = {},
  typeOf: (name: string) => ValueType | undefined = () => undefined,
): Promise<ModelSplit> {
  const model = parseModel(bytes);
  // Checks the name before anything is run.
  const head = headGraph(model, tensorName);
  const known = new Map(
    head.values.flatMap((name) => {
      const type = typeOf(name);
      return type === undefined ? [] : [[name, type] as const];
    }),
  );
  const types =
    known.size === head.values.length
      ? known
      : (await findTypes(head.bytes, model, head.values, options)).types;
  // What cannot be sent is told now, not at the first frame.
  for (const name of head.values) {
    const spec = sendableOf(name, types.get(name));
    if (typeof spec === "string") throw new ModelError("unsupported", `cut "${name}": ${spec}`);
  }
  return splitGraph(model, tensorName, types);
}
