import { type DataFlow, type FlowNode, usedValues } from "./data-flow.js";

/** A value through which everything flows from the inputs to the outputs. */
export interface CutPosition {
  readonly name: string;
  /** The relevant nodes that run before it: the first `nodesBefore` of the order that {@link findCuts} gives. */
  readonly nodesBefore: number;
}

/**
 * Finds every inner value at which the graph can be cut in two: those that lie on all paths from the inputs to the
 * outputs. Walks once through the nodes in order and keeps the values that are still needed; where only one is
 * left, all that comes later depends on it alone. (All nodes before such a value in one order are before it in any.)
 * The model's own inputs and outputs are not listed.
 */
export function findCuts<Node extends FlowNode>(
  flow: DataFlow<Node>,
): {
  readonly nodes: readonly Node[];
  readonly cuts: CutPosition[];
} {
  const nodes = flow.order.filter((node) => flow.relevant.has(node));
  const usesLeft = new Map<string, number>();
  for (const node of nodes) {
    for (const name of usedValues(node)) {
      if (flow.varying.has(name)) usesLeft.set(name, (usesLeft.get(name) ?? 0) + 1);
    }
  }
  // An output is needed to the end.
  for (const name of flow.outputs) usesLeft.set(name, Number.POSITIVE_INFINITY);
  const live = new Set<string>();
  for (const name of flow.inputs) if ((usesLeft.get(name) ?? 0) > 0) live.add(name);
  const cuts: CutPosition[] = [];
  nodes.forEach((node, index) => {
    for (const name of usedValues(node)) {
      const left = usesLeft.get(name);
      if (left === undefined) continue;
      usesLeft.set(name, left - 1);
      if (left === 1) live.delete(name);
    }
    for (const name of node.outputs) if ((usesLeft.get(name) ?? 0) > 0) live.add(name);
    if (live.size !== 1) return;
    const [name] = live;
    if (name !== undefined && !flow.outputs.has(name) && !flow.inputs.has(name)) {
      cuts.push({ name, nodesBefore: index + 1 });
    }
  });
  return { nodes, cuts };
}
