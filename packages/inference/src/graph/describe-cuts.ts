import { bytesPerElement, elementCount, type TensorSpec } from "@sluice/tensor";
import type { Cut, IllegalCut } from "../cut.js";
import { findIllegalCuts } from "./check-cut.js";
import type { DataFlow, FlowNode } from "./data-flow.js";
import { findCuts } from "./find-cuts.js";

/** A graph with what is known about its values and operations. */
export interface KnownGraph<Node extends FlowNode> {
  readonly flow: DataFlow<Node>;
  /** Multiply-adds of one sample. */
  multiplyAdds(node: Node): number;
  /** What a value is without the batch axis, or in words why it cannot be sent. */
  sendable(name: string): TensorSpec | string;
  /** What the file declares values to be, where that is not so. */
  readonly misdeclared?: ReadonlyMap<string, string>;
}

/** Every value at which a graph can be cut and that can be sent, from the input to the output. */
export function describeCuts<Node extends FlowNode>(graph: KnownGraph<Node>): Cut[] {
  const { nodes, cuts } = findCuts(graph.flow);
  let total = 0;
  const workBefore = nodes.map((node) => {
    total += graph.multiplyAdds(node);
    return total;
  });
  return cuts.flatMap(({ name, nodesBefore }) => {
    const spec = graph.sendable(name);
    if (typeof spec === "string") return [];
    const elements = elementCount(spec.shape);
    const declared = graph.misdeclared?.get(name);
    const before = workBefore[nodesBefore - 1] ?? 0;
    return {
      ...{ ...spec, name, elements, operation: nodes[nodesBefore - 1]?.opType ?? "" },
      bytes: elements * bytesPerElement[spec.dtype],
      nodeShare: nodesBefore / nodes.length,
      workShare: total === 0 ? 0 : before / total,
      multiplyAdds: before,
      ...(declared === undefined ? {} : { declared }),
    };
  });
}

/**
 * Every other inner value that depends on the input, with what stands against cutting there, in the order of the
 * graph. Takes a time that grows with the square of the number of operations: a second for some 6,000.
 */
export function describeIllegalCuts<Node extends FlowNode>(graph: KnownGraph<Node>): IllegalCut[] {
  const { flow } = graph;
  const { nodes, cuts } = findCuts(flow);
  const bypassed = findIllegalCuts(flow).map(({ opType, ...cut }) => ({ ...cut, operation: opType }));
  const unsendable = cuts.flatMap(({ name, nodesBefore }) => {
    const reason = graph.sendable(name);
    if (typeof reason !== "string") return [];
    return [{ name, operation: nodes[nodesBefore - 1]?.opType ?? "", reason, bypass: [] }];
  });
  const places = new Map([...flow.producers.keys()].map((name, place) => [name, place]));
  return [...bypassed, ...unsendable].sort((a, b) => places.get(a.name)! - places.get(b.name)!);
}
