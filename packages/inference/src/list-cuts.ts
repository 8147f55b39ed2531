import type { TensorSpec } from "@sluice/tensor";
import type { Cut, IllegalCut } from "./cut.js";
import { describeCuts, describeIllegalCuts, type KnownGraph } from "./graph/describe-cuts.js";
import { findCuts } from "./graph/find-cuts.js";
import { ModelError } from "./model-error.js";
import { type OnnxModel, parseModel, requiredInputs } from "./onnx/model.js";
import type { OnnxNode } from "./onnx/node.js";
import { analyseDataFlow, checkCut } from "./onnx/onnx-flow.js";
import { costShapes, type KnownShapes, multiplyAdds } from "./onnx/operation-cost.js";
import { type ModelSplit, splitGraph } from "./onnx/split-graph.js";
import { type Dimension, elementTypeName, type ValueType } from "./onnx/value-type.js";
import type { OnnxruntimeOptions } from "./onnxruntime/open-onnx-session.js";
import { probeShapes } from "./onnxruntime/probe-shapes.js";
import { describeValue, isSendable, specOf, withinLimits } from "./tensor-info.js";

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

/** What the model declares; for the rest, what comes out when zeros are run through it. */
async function findTypes(
  bytes: Uint8Array,
  model: OnnxModel,
  names: readonly string[],
  options: OnnxruntimeOptions,
): Promise<ReadonlyMap<string, ValueType>> {
  const batch = requiredInputs(model.graph)[0]?.type?.shape?.[0];
  const types = new Map<string, ValueType>();
  for (const { name, type } of [...model.graph.values, ...model.graph.outputs]) {
    if (isComplete(type, batch)) types.set(name, type);
  }
  const missing = names.filter((name) => !types.has(name));
  if (missing.length > 0) {
    for (const [name, type] of await probeShapes(bytes, missing, options)) types.set(name, type);
  }
  return types;
}

/**
 * A model's graph with the types of the values that everything flows through, and what the work needs. Shapes that the
 * model does not declare are measured by running zeros through it once or twice.
 * @throws ModelError for bytes that are no model, EngineError for a model that does not run
 */
export async function examineGraph(
  bytes: Uint8Array,
  options: OnnxruntimeOptions = {},
): Promise<KnownGraph<OnnxNode>> {
  const model = parseModel(bytes);
  const flow = analyseDataFlow(model.graph);
  const { nodes, cuts } = findCuts(flow);
  const constants = new Set(model.graph.initializers.map(({ name }) => name));
  const asked = new Set([...cuts.map(({ name }) => name), ...nodes.flatMap(costShapes)]);
  const names = [...asked].filter((name) => name !== "" && !constants.has(name));
  const types = await findTypes(bytes, model, names, options);
  const shapes = knownShapes(model, types);
  return {
    flow,
    multiplyAdds: (node) => multiplyAdds(node, shapes),
    sendable: (name) => sendableOf(name, types.get(name)),
  };
}

/**
 * Every tensor at which a model can be cut, from the input to the output. Shapes that the model does not declare are
 * measured by running zeros through it once or twice.
 * @throws ModelError for bytes that are no model, EngineError for a model that does not run
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
 * Whether a declared type can be relied on: all sizes known but the batch axis, and that one the input's. (Exporters
 * give other names to axes that hold the batch times something else.)
 */
function isComplete(type: ValueType | null, batch: Dimension | undefined): type is ValueType {
  const [first, ...others] = type?.shape ?? [];
  if (first === undefined || others.some((size) => typeof size !== "number")) return false;
  return typeof first === "number" ? typeof batch === "number" : first !== null && first === batch;
}

/**
 * Cuts a model at a tensor: `tail(head(input))` is `model(input)`, bit by bit with graph optimization disabled. Where
 * the model does not declare the tensor's type, it is measured by running zeros through the model.
 * @throws ModelError `unknown-name` with the nearest names, `illegal-cut` naming the path that bypasses the cut,
 *   `unsupported` for a tensor that cannot be sent
 */
export async function splitModel(
  bytes: Uint8Array,
  tensorName: string,
  options: OnnxruntimeOptions = {},
): Promise<ModelSplit> {
  const model = parseModel(bytes);
  // Before the model is run: a wrong name is no reason to.
  checkCut(model.graph, tensorName);
  const type = (await findTypes(bytes, model, [tensorName], options)).get(tensorName);
  // What cannot be sent is told now, not at the first frame.
  const spec = sendableOf(tensorName, type);
  if (typeof spec === "string") throw new ModelError("unsupported", `cut "${tensorName}": ${spec}`);
  return splitGraph(model, tensorName, type);
}
