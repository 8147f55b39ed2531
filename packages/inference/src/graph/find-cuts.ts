import { type DataFlow, type FlowNode, usedValues } from "./data-flow.js";

/** Values through which everything flows from the inputs to the outputs, together with inputs that enter behind them. */
export interface CutPosition {
  /** What it is called: the value's name, or those of several with {@link joinNames}. */
  readonly name: string;
  /** The values that are made before it and needed behind it: one, of a graph with several inputs up to {@link maxTogether}. */
  readonly values: readonly string[];
  /** Of a graph with several inputs: those that are needed behind it as they are. */
  readonly inputs: readonly string[];
  /** The relevant nodes that run before it: the first `nodesBefore` of the order that {@link findCuts} gives. */
  readonly nodesBefore: number;
}

/** More values that cross together are hardly worth a cut. */
const maxTogether = 4;

const joint = "+";

/** Names a cut of several values. */
export function joinNames(names: readonly string[]): string {
  return names.join(joint);
}

/** The values that a cut's name means: a name that holds a plus sign goes before two names. */
export function namesOf(cut: string, isName: (text: string) => boolean): readonly string[] {
  const names: string[] = [];
  for (let rest = cut; ; ) {
    let end = rest.length;
    while (end > 0 && !isName(rest.slice(0, end))) end = rest.lastIndexOf(joint, end - 1);
    // Of what is no name the first part is told.
    if (end <= 0) end = rest.includes(joint) && names.length > 0 ? rest.indexOf(joint) : rest.length;
    names.push(rest.slice(0, end));
    if (end >= rest.length) return names;
    rest = rest.slice(end + joint.length);
  }
}

/**
 * Finds every place inside at which the graph can be cut in two. Walks once through the nodes in order and keeps the values
 * that are still needed; where only one is left, all that comes later depends on it alone. (All nodes before such a value in
 * one order are before it in any.) Of a graph with several inputs it may be a few values, and inputs beside them.
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
  const most = flow.inputs.size > 1 ? flow.inputs.size + maxTogether : 1;
  const cuts: CutPosition[] = [];
  nodes.forEach((node, index) => {
    for (const name of usedValues(node)) {
      const left = usesLeft.get(name);
      if (left === undefined) continue;
      usesLeft.set(name, left - 1);
      if (left === 1) live.delete(name);
    }
    for (const name of node.outputs) if ((usesLeft.get(name) ?? 0) > 0) live.add(name);
    if (live.size === 0 || live.size > most) return;
    const values = [...live].filter((name) => !flow.inputs.has(name));
    if (values.length === 0 || values.length > maxTogether) return;
    if (values.some((name) => flow.outputs.has(name))) return;
    const inputs = [...flow.inputs].filter((name) => live.has(name));
    if (inputs.length > 0 && flow.inputs.size === 1) return;
    cuts.push({ name: joinNames(values), values, inputs, nodesBefore: index + 1 });
  });
  return { nodes, cuts };
}
