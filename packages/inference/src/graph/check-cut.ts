import { ModelError } from "../model-error.js";
import { analyseFlow, type DataFlow, type FlowGraph, type FlowNode, usedValues } from "./data-flow.js";
import { findCuts } from "./find-cuts.js";
import { nearestNames } from "./nearest-names.js";

/** What is needed to compute some values, walking back until `stopAt`. */
export interface Reach<Node extends FlowNode = FlowNode> {
  readonly nodes: ReadonlySet<Node>;
  readonly values: ReadonlySet<string>;
  /** For each value that was reached, the value made from it through which it was. */
  readonly next: ReadonlyMap<string, string>;
}

function reachBack<Node extends FlowNode>(
  flow: DataFlow<Node>,
  from: Iterable<string>,
  stopAt?: string,
): Reach<Node> {
  const nodes = new Set<Node>();
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

/** A path from an input to an output that does not go through a value. */
interface Bypass {
  readonly path: readonly string[];
  /** Where the path leaves what the value is made of. */
  readonly crossing: string;
}

function findBypass(flow: DataFlow, cut: string): Bypass | undefined {
  const tail = reachBack(flow, flow.outputs, cut);
  const input = [...flow.inputs].find((name) => tail.values.has(name));
  if (input === undefined) return undefined;
  const head = reachBack(flow, [cut]);
  const path = [input];
  for (let at = tail.next.get(input); at !== undefined; at = tail.next.get(at)) path.push(at);
  const crossing = path.filter((name) => head.values.has(name) || name === input).at(-1) ?? input;
  return { path, crossing };
}

function formatBypass({ path, crossing }: Bypass): string {
  const shown = path.length > 8 ? [...path.slice(0, 4), "…", ...path.slice(-3)] : path;
  return `"${crossing}" bypasses it (path ${shown.join(" -> ")})`;
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

/** Why a value is no cut although a node makes it; undefined: it is one. */
function findObstacle(
  flow: DataFlow,
  cut: string,
): { reason: string; bypass: readonly string[] } | undefined {
  if (!flow.varying.has(cut)) return { reason: "does not depend on the model's input", bypass: [] };
  if (!reachBack(flow, flow.outputs, cut).values.has(cut)) {
    return { reason: "no output depends on it", bypass: [] };
  }
  const bypass = findBypass(flow, cut);
  return bypass && { reason: formatBypass(bypass), bypass: bypass.path };
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
  const obstacle = findObstacle(flow, cut);
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
  return flow.order.flatMap((node) =>
    node.outputs
      .filter((name) => flow.varying.has(name) && !flow.outputs.has(name) && !legal.has(name))
      .map((name) => ({
        name,
        opType: node.opType,
        ...(findObstacle(flow, name) ?? { reason: "has no data of its own", bypass: [] }),
      })),
  );
}
