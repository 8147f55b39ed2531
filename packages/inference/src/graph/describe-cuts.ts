import { bundleSpec, bytesPerElement, elementCount, type TensorSpec } from "@sluice/tensor";
import type { CrossingTensor, Cut, CutWork, IllegalCut } from "../cut.js";
import { withinLimits } from "../tensor-info.js";
import { findIllegalCuts, reachBack } from "./check-cut.js";
import type { DataFlow, FlowNode } from "./data-flow.js";
import { type CutPosition, findCuts, namesOf } from "./find-cuts.js";

/** A graph with what is known about its values and operations. */
export interface KnownGraph<Node extends FlowNode> {
  readonly flow: DataFlow<Node>;
  /** Multiply-adds of one sample. */
  multiplyAdds(node: Node): number;
  /** What a value or an input is without the batch axis, or in words why it cannot be sent. */
  sendable(name: string): TensorSpec | string;
  /** Why values cannot cross together; absent: any can. */
  cannotCross?(names: readonly string[]): string | undefined;
  /** What the file declares values to be, where that is not so. */
  readonly misdeclared?: ReadonlyMap<string, string>;
}

/** Every value at which a graph can be cut and that can be sent, from the input to the output. */
export function describeCuts<Node extends FlowNode>(graph: KnownGraph<Node>): Cut[] {
  const { nodes, cuts } = findCuts(graph.flow);
  let total = 0;
  const workUpTo = nodes.map((node) => {
    total += graph.multiplyAdds(node);
    return total;
  });
  return cuts.flatMap((position) => {
    const crossing = crossingAt(graph, position);
    if (typeof crossing === "string") return [];
    const { name, values, nodesBefore } = position;
    const spec = bundleSpec(crossing);
    const declared = values.map((value) => graph.misdeclared?.get(value)).find((type) => type !== undefined);
    const before = workUpTo[nodesBefore - 1] ?? 0;
    return {
      ...{ ...spec, name, operation: nodes[nodesBefore - 1]?.opType ?? "" },
      elements: crossing.reduce((sum, { shape }) => sum + elementCount(shape), 0),
      bytes: elementCount(spec.shape) * bytesPerElement[spec.dtype],
      nodeShare: nodesBefore / nodes.length,
      workShare: total === 0 ? 0 : before / total,
      multiplyAdds: before,
      ...(crossing.length === 1 ? {} : { crossing }),
      ...(declared === undefined ? {} : { declared }),
    };
  });
}

/** What is computed before values that are named with a plus sign between them, cut or not. */
export function workBefore<Node extends FlowNode>(graph: KnownGraph<Node>, cut: string): CutWork {
  const { flow } = graph;
  const values = namesOf(cut, (name) => flow.producers.has(name));
  const { nodes: needed } = reachBack(flow, values);
  const sum = (nodes: readonly Node[]) => nodes.reduce((work, node) => work + graph.multiplyAdds(node), 0);
  const relevant = flow.order.filter((node) => flow.relevant.has(node));
  const before = relevant.filter((node) => needed.has(node));
  const [work, total] = [sum(before), sum(relevant)];
  return {
    operation: before.at(-1)?.opType ?? "",
    nodeShare: before.length / relevant.length,
    workShare: total === 0 ? 0 : work / total,
    multiplyAdds: work,
  };
}

/** What crosses at a cut, or why it cannot be sent. */
function crossingAt<Node extends FlowNode>(
  graph: KnownGraph<Node>,
  { values, inputs }: CutPosition,
): readonly CrossingTensor[] | string {
  const crossing: CrossingTensor[] = [];
  const names = [...values, ...inputs];
  const obstacle = graph.cannotCross?.(names);
  if (obstacle !== undefined) return obstacle;
  for (const name of names) {
    const spec = graph.sendable(name);
    if (typeof spec === "string") return names.length === 1 ? spec : `"${name}" crosses there and ${spec}`;
    crossing.push({ name, ...spec });
  }
  const whole = withinLimits(bundleSpec(crossing));
  return typeof whole === "string" ? whole : crossing;
}

/**
 * Every other inner value that depends on the input, with what stands against cutting there, in the order of the
 * graph. Takes a time that grows with the square of the number of operations: a second for some 6,000.
 */
export function describeIllegalCuts<Node extends FlowNode>(graph: KnownGraph<Node>): IllegalCut[] {
  const { flow } = graph;
  const { nodes, cuts } = findCuts(flow);
  const bypassed = findIllegalCuts(flow).map(({ opType, ...cut }) => ({ ...cut, operation: opType }));
  const unsendable = cuts.flatMap((position) => {
    const reason = crossingAt(graph, position);
    if (typeof reason !== "string") return [];
    const { name, nodesBefore } = position;
    return [{ name, operation: nodes[nodesBefore - 1]?.opType ?? "", reason, bypass: [] }];
  });
  const places = new Map([...flow.producers.keys()].map((name, place) => [name, place]));
  const placeOf = new Map(cuts.map(({ name, values }) => [name, places.get(values.at(-1)!)!]));
  const place = (name: string) => placeOf.get(name) ?? places.get(name)!;
  return [...bypassed, ...unsendable].sort((a, b) => place(a.name) - place(b.name));
}
