import { ModelError } from "../model-error.js";
import { analyseFlow, type DataFlow, type FlowGraph, type FlowNode, usedValues } from "./data-flow.js";
import { findCuts } from "./find-cuts.js";
import { createObstacleFinder } from "./find-obstacle.js";
import { nearestNames } from "./nearest-names.js";

/** What is needed to compute some values, walking back until `stopAt`. */
export interface Reach<Node extends FlowNode = FlowNode> {
  readonly nodes: ReadonlySet<Node>;
  readonly values: ReadonlySet<string>;
}

function reachBack<Node extends FlowNode>(
  flow: DataFlow<Node>,
  from: Iterable<string>,
  stopAt?: string,
): Reach<Node> {
  const nodes = new Set<Node>();
  const values = new Set<string>(from);
  for (const value of values) {
    if (value === stopAt) continue;
    const producer = flow.producers.get(value);
    if (producer === undefined || nodes.has(producer)) continue;
    nodes.add(producer);
    for (const used of usedValues(producer)) values.add(used);
  }
  return { nodes, values };
}

function quoteAll(names: readonly string[]): string {
  return names.map((name) => `"${name}"`).join(", ");
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

/**
 * Checks that a graph can be cut at a value, and finds what each half consists of.
 * @throws ModelError `unknown-name` with the nearest names, `illegal-cut` naming the path that bypasses the cut
 */
export function checkFlowCut<Node extends FlowNode>(
  graph: FlowGraph<Node>,
  cut: string,
): { readonly head: Reach<Node>; readonly tail: Reach<Node> } {
  const flow = analyseFlow(graph);
  checkName(graph, flow, cut);
  const obstacle = createObstacleFinder(flow)(cut);
  if (obstacle !== undefined) {
    const advice = obstacle.bypass.length > 0 ? adviseCuts(flow, cut) : "";
    throw new ModelError("illegal-cut", `cut "${cut}": ${obstacle.reason}${advice}`);
  }
  return { head: reachBack(flow, [cut]), tail: reachBack(flow, flow.outputs, cut) };
}

/** Inner values that depend on the input and are no cuts, with the reason, in the order of the graph. */
export function findIllegalCuts(flow: DataFlow): {
  readonly name: string;
  readonly opType: string;
  readonly reason: string;
  readonly bypass: readonly string[];
}[] {
  const legal = new Set(findCuts(flow).cuts.map(({ name }) => name));
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
