import { ModelError } from "../model-error.js";
import { analyseDataFlow, type DataFlow, usedValues } from "./data-flow.js";
import { findCuts } from "./find-cuts.js";
import { encodeModel, type OnnxGraph, type OnnxModel, type OnnxValue } from "./model.js";
import { nearestNames } from "./nearest-names.js";
import type { OnnxNode } from "./node.js";
import { encodeValueInfo, type ValueInfo, type ValueType } from "./value-type.js";
import { encodeMessageField } from "./wire-fields.js";

/** A model cut in two: `tail(head(input))` is `model(input)`. */
export interface ModelSplit {
  /** An ONNX model from the whole's inputs to the cut. */
  readonly head: Uint8Array;
  /** An ONNX model from the cut to the whole's outputs. */
  readonly tail: Uint8Array;
  readonly cut: ValueInfo & { readonly type: ValueType };
}

/** What is needed to compute some values, walking back until `stopAt`. */
interface Reach {
  readonly nodes: ReadonlySet<OnnxNode>;
  readonly values: ReadonlySet<string>;
  /** For each value that was reached, the value made from it through which it was. */
  readonly next: ReadonlyMap<string, string>;
}

function reachBack(flow: DataFlow, from: Iterable<string>, stopAt?: string): Reach {
  const nodes = new Set<OnnxNode>();
  const values = new Set<string>(from);
  const next = new Map<string, string>();
  for (const value of values) {
    if (value === stopAt) continue;
    const producer = flow.producers.get(value);
    if (producer === undefined || nodes.has(producer)) continue;
    nodes.add(producer);
    for (const used of usedValues(producer)) {
      if (values.has(used)) continue;
      values.add(used);
      next.set(used, value);
    }
  }
  return { nodes, values, next };
}

function quoteAll(names: readonly string[]): string {
  return names.map((name) => `"${name}"`).join(", ");
}

/** The path from an input to an output that does not go through the cut, and where it leaves the head. */
function describeBypass(flow: DataFlow, head: Reach, tail: Reach, input: string, cut: string): string {
  const path = [input];
  for (let at = tail.next.get(input); at !== undefined; at = tail.next.get(at)) path.push(at);
  const crossing = path.filter((name) => head.values.has(name) || name === input).at(-1) ?? input;
  const shown = path.length > 8 ? [...path.slice(0, 4), "…", ...path.slice(-3)] : path;
  const { nodes, cuts } = findCuts(flow);
  const at = nodes.indexOf(flow.producers.get(cut)!);
  const before = cuts.filter((position) => position.nodesBefore <= at).at(-1)?.name;
  const after = cuts.find((position) => position.nodesBefore > at)?.name;
  const near = [before, after].filter((name) => name !== undefined);
  const advice = near.length > 0 ? `; the nearest legal cuts: ${quoteAll(near)}` : "";
  return `"${crossing}" bypasses it (path ${shown.join(" -> ")})${advice}`;
}

function checkName(graph: OnnxGraph, flow: DataFlow, cut: string): void {
  if (flow.inputs.has(cut)) {
    throw new ModelError("illegal-cut", `cut "${cut}": is the model's input; strategy "server" sends that`);
  }
  if (flow.outputs.has(cut)) {
    throw new ModelError(
      "illegal-cut",
      `cut "${cut}": is the model's output; strategy "client" computes that`,
    );
  }
  if (flow.producers.has(cut)) return;
  if (graph.initializers.some((initializer) => initializer.name === cut)) {
    throw new ModelError("illegal-cut", `cut "${cut}": is a constant of the model`);
  }
  const near = nearestNames(cut, flow.producers.keys());
  const advice = near.length > 0 ? `; nearest: ${quoteAll(near)}` : "";
  throw new ModelError("unknown-name", `cut "${cut}": the model has no tensor of that name${advice}`);
}

/** A part of the graph: the nodes reached and all that they refer to. */
function subgraph(
  graph: OnnxGraph,
  reach: Reach,
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
    values: graph.values.filter(({ name }) => reach.values.has(name) && !boundary.has(name)),
    quantizations,
    rest: graph.rest,
  };
}

/** TrainingInfoProto names nodes and weights of the whole model: it has no meaning for a half. */
function withoutTraining(model: OnnxModel): readonly Uint8Array[] {
  return model.rest.filter((raw) => !(raw[0] === 0xa2 && raw[1] === 0x01));
}

/**
 * Checks that a graph can be cut at a value.
 * @throws ModelError `unknown-name` with the nearest names, `illegal-cut` naming the path that bypasses the cut
 */
export function checkCut(graph: OnnxGraph, cut: string): { readonly head: Reach; readonly tail: Reach } {
  const flow = analyseDataFlow(graph);
  checkName(graph, flow, cut);
  const head = reachBack(flow, [cut]);
  const tail = reachBack(flow, flow.outputs, cut);
  if (!flow.varying.has(cut)) {
    throw new ModelError("illegal-cut", `cut "${cut}": does not depend on the model's input`);
  }
  if (!tail.values.has(cut)) throw new ModelError("illegal-cut", `cut "${cut}": no output depends on it`);
  const leftover = [...flow.inputs].find((input) => tail.values.has(input));
  if (leftover !== undefined) {
    throw new ModelError("illegal-cut", `cut "${cut}": ${describeBypass(flow, head, tail, leftover, cut)}`);
  }
  return { head, tail };
}

/**
 * Cuts a model at a value. Each half keeps the nodes, weights, constants and annotations that it needs (those that
 * both need are in both) and the whole model's versions, opset imports, functions and metadata; training
 * information is left out.
 * @param type what the value is; without it the type that the model declares is taken
 * @throws ModelError `unknown-name`, `illegal-cut`, `invalid-graph`, and `missing-type` where there is no type
 */
export function splitGraph(model: OnnxModel, cut: string, type?: ValueType): ModelSplit {
  const { graph } = model;
  const { head, tail } = checkCut(graph, cut);
  const known = type ?? graph.values.find(({ name }) => name === cut)?.type;
  if (known === undefined || known === null) {
    throw new ModelError("missing-type", `cut "${cut}": the model does not say what type it has`);
  }
  const info = { name: cut, type: known };
  const payload = encodeValueInfo(info);
  const asInput = { ...info, raw: encodeMessageField(11, payload) };
  const asOutput = { ...info, raw: encodeMessageField(12, payload) };
  const rest = withoutTraining(model);
  const constants = new Set(graph.initializers.map(({ name }) => name));
  const headInputs = graph.inputs.filter(({ name }) => head.values.has(name) && !constants.has(name));
  return {
    head: encodeModel({ graph: subgraph(graph, head, headInputs, [asOutput]), rest }),
    tail: encodeModel({ graph: subgraph(graph, tail, [asInput], graph.outputs), rest }),
    cut: info,
  };
}

/** The model with more of its values as outputs, so that a runtime tells their shapes. */
export function withOutputs(model: OnnxModel, names: readonly string[]): Uint8Array {
  const { graph } = model;
  const present = new Set(graph.outputs.map(({ name }) => name));
  const added = names
    .filter((name) => !present.has(name))
    .map((name) => {
      const declared = graph.values.find((value) => value.name === name);
      const info = { name, type: declared?.type ?? null };
      return { ...info, raw: encodeMessageField(12, encodeValueInfo(info)) };
    });
  const addedNames = new Set(added.map(({ name }) => name));
  const values = graph.values.filter(({ name }) => !addedNames.has(name));
  return encodeModel({ ...model, graph: { ...graph, outputs: [...graph.outputs, ...added], values } });
}
