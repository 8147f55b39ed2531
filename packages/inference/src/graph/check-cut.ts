import { ModelError } from "../model-error.js";
import { quoteAll } from "../quote-all.js";
import { analyseFlow, type DataFlow, type FlowGraph, type FlowNode, usedValues } from "./data-flow.js";
import { findCuts, joinNames, namesOf } from "./find-cuts.js";
import { createObstacleFinder } from "./find-obstacle.js";
import { nearestNames } from "./nearest-names.js";

/** What is needed to compute some values, walking back until `stopAt`. */
export interface Reach<Node extends FlowNode = FlowNode> {
  readonly nodes: ReadonlySet<Node>;
  readonly values: ReadonlySet<string>;
}

/** Walks back from values to all that they are made of. */
export function reachBack<Node extends FlowNode>(
  flow: DataFlow<Node>,
  from: Iterable<string>,
  stopAt: readonly string[] = [],
): Reach<Node> {
  const nodes = new Set<Node>();
  const values = new Set<string>(from);
  for (const value of values) {
    if (stopAt.includes(value)) continue;
    const producer = flow.producers.get(value);
    if (producer === undefined || nodes.has(producer)) continue;
    nodes.add(producer);
    for (const used of usedValues(producer)) values.add(used);
  }
  return { nodes, values };
}

function adviseCuts(flow: DataFlow, cut: string): string {
  const { nodes, cuts } = findCuts(flow);
  const at = nodes.indexOf(flow.producers.get(cut)!);
  const before = cuts.filter((position) => position.nodesBefore <= at).at(-1)?.name;
  const after = cuts.find((position) => position.nodesBefore > at)?.name;
  const near = [before, after].filter((name) => name !== undefined);
  return near.length > 0 ? `; the nearest legal cuts: ${quoteAll(near)}` : "";
}

function checkName(graph: FlowGraph, flow: DataFlow, cut: string): void {
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
  if (graph.constants.includes(cut)) {
    throw new ModelError("illegal-cut", `cut "${cut}": is a constant of the model`);
  }
  const near = nearestNames(cut, flow.producers.keys());
  const advice = near.length > 0 ? `; nearest: ${quoteAll(near)}` : "";
  throw new ModelError("unknown-name", `cut "${cut}": the model has no tensor of that name${advice}`);
}

/** A cut that is legal: what crosses there, and what each half consists of. */
export interface FlowCut<Node extends FlowNode = FlowNode> {
  /** The values that cross, in the order in which they are named. */
  readonly values: readonly string[];
  /** The inputs that cross beside them as they are, in the graph's order; none where the graph has one input. */
  readonly inputs: readonly string[];
  readonly head: Reach<Node>;
  readonly tail: Reach<Node>;
}

/**
 * Checks that a graph can be cut at a value, or at several that are named with a plus sign between them, and finds what each
 * half consists of. Inputs of a graph with several may enter behind the cut.
 * @throws ModelError `unknown-name` with the nearest names, `illegal-cut` naming the path that bypasses the cut
 */
export function checkFlowCut<Node extends FlowNode>(graph: FlowGraph<Node>, cut: string): FlowCut<Node> {
  const flow = analyseFlow(graph);
  const values = namesOf(cut, (name) => flow.producers.has(name));
  for (const value of values) checkName(graph, flow, value);
  const head = reachBack(flow, values);
  const tail = reachBack(flow, flow.outputs, values);
  if (flow.inputs.size === 1 && values.length === 1) checkSingle(flow, cut, head, tail);
  else checkSeveral(flow, cut, values, head, tail);
  return { values, inputs: [...flow.inputs].filter((name) => tail.values.has(name)), head, tail };
}

function checkSingle(flow: DataFlow, cut: string, head: Reach, tail: Reach): void {
  const obstacle = createObstacleFinder(flow)(cut);
  if (obstacle === undefined) return;
  const advice =
    obstacle.bypass.length > 0 ? adviseTogether(flow, cut, head, tail) + adviseCuts(flow, cut) : "";
  throw new ModelError("illegal-cut", `cut "${cut}": ${obstacle.reason}${advice}`);
}

function checkSeveral(
  flow: DataFlow,
  cut: string,
  values: readonly string[],
  head: Reach,
  tail: Reach,
): void {
  const fail = (reason: string): never => {
    throw new ModelError("illegal-cut", `cut "${cut}": ${reason}`);
  };
  for (const [i, value] of values.entries()) {
    const which = values.length === 1 ? "" : `"${value}" `;
    if (values.indexOf(value) < i) fail(`names "${value}" twice`);
    if (!flow.varying.has(value)) fail(`${which}does not depend on the model's inputs`);
    if (!tail.values.has(value))
      fail(`no output depends on ${which === "" ? "it" : `${which}beside the others`}`);
  }
  const inner = findAround(flow, head, tail);
  const output = inner.find((name) => flow.outputs.has(name));
  if (output !== undefined) fail(`the output "${output}" is made before it`);
  if (inner.length > 0)
    fail(
      `${quoteAll(inner)} bypass${inner.length === 1 ? "es" : ""} it; together they are "${joinNames([...values, ...inner])}"`,
    );
  const [input] = flow.inputs;
  if (flow.inputs.size === 1 && tail.values.has(input!)) fail(`the input "${input}" bypasses it`);
}

/** Names the cut that a value is together with those that go around it, unless that is none either. */
function adviseTogether(flow: DataFlow, cut: string, head: Reach, tail: Reach): string {
  const values = [cut, ...findAround(flow, head, tail)];
  const together = joinNames(values);
  try {
    checkSeveral(flow, together, values, reachBack(flow, values), reachBack(flow, flow.outputs, values));
  } catch (error) {
    if (error instanceof ModelError) return "";
    throw error;
  }
  return `; with what bypasses it, it is the cut "${together}"`;
}

/** The values that go around a cut: what both halves would compute. */
function findAround(flow: DataFlow, head: Reach, tail: Reach): readonly string[] {
  const isShared = (node: FlowNode | undefined) =>
    node !== undefined && head.nodes.has(node) && tail.nodes.has(node) && flow.relevant.has(node);
  const around = new Set<string>();
  for (const node of [...tail.nodes].filter((node) => !isShared(node))) {
    for (const name of usedValues(node)) if (isShared(flow.producers.get(name))) around.add(name);
  }
  for (const name of flow.outputs) if (isShared(flow.producers.get(name))) around.add(name);
  return [...around].filter((name) => flow.varying.has(name));
}

/** Inner values that depend on the input and are no cuts, with the reason, in the order of the graph. */
export function findIllegalCuts(flow: DataFlow): {
  readonly name: string;
  readonly opType: string;
  readonly reason: string;
  readonly bypass: readonly string[];
}[] {
  const legal = new Set(findCuts(flow).cuts.flatMap(({ values }) => values));
  const findObstacle = createObstacleFinder(flow);
  return flow.order.flatMap((node) =>
    node.outputs
      .filter((name) => flow.varying.has(name) && !flow.outputs.has(name) && !legal.has(name))
      .map((name) => ({
        name,
        opType: node.opType,
        ...(findObstacle(name) ?? { reason: "has no data of its own", bypass: [] }),
      })),
  );
}
