import { ModelError } from "../model-error.js";

/** An operation as far as splitting goes. */
export interface FlowNode {
  /** By its name in the model's format. */
  readonly opType: string;
  /** Names of values; "" where an optional one is left out. */
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  /** Values that it uses beside its inputs (those that subgraphs of If and Loop take from around them). */
  readonly captures: readonly string[];
}

/** A network as operations on named values, whatever format it came in. */
export interface FlowGraph<Node extends FlowNode = FlowNode> {
  readonly nodes: readonly Node[];
  /** The values that a caller gives; a node must not make them. */
  readonly inputs: readonly string[];
  /** Names that nodes must not make, beside the inputs: constants that the format declares as inputs. */
  readonly reserved?: readonly string[];
  readonly outputs: readonly string[];
  /** Values that are the same for every input. */
  readonly constants: readonly string[];
}

/** How values flow through a graph. Values without a name are left out everywhere. */
export interface DataFlow<Node extends FlowNode = FlowNode> {
  /** Every node after the nodes whose outputs it uses. */
  readonly order: readonly Node[];
  /** For each value that a node makes, that node. */
  readonly producers: ReadonlyMap<string, Node>;
  /** The values that a caller gives. */
  readonly inputs: ReadonlySet<string>;
  readonly outputs: ReadonlySet<string>;
  /** Values that depend on an input; all others (weights, constants) can be had on both sides of a cut. */
  readonly varying: ReadonlySet<string>;
  /** Nodes on a path from an input to an output. */
  readonly relevant: ReadonlySet<Node>;
}

/** The values that a node uses: its inputs and what its subgraphs capture. */
export function usedValues(node: FlowNode): readonly string[] {
  const inputs = node.captures.length === 0 ? node.inputs : [...node.inputs, ...node.captures];
  return inputs.includes("") ? inputs.filter((name) => name !== "") : inputs;
}

function findProducers<Node extends FlowNode>(graph: FlowGraph<Node>): Map<string, Node> {
  const producers = new Map<string, Node>();
  const inputs = new Set([...graph.inputs, ...(graph.reserved ?? [])]);
  for (const node of graph.nodes) {
    for (const output of node.outputs) {
      if (output === "") continue;
      if (producers.has(output))
        throw new ModelError("invalid-graph", `value "${output}": made by two nodes`);
      if (inputs.has(output))
        throw new ModelError("invalid-graph", `value "${output}": an input and made by a node`);
      producers.set(output, node);
    }
  }
  return producers;
}

/** Kahn's algorithm; a graph that is in order already, as ONNX demands, keeps its order. */
function sortNodes<Node extends FlowNode>(
  nodes: readonly Node[],
  producers: ReadonlyMap<string, Node>,
): Node[] {
  const waiting = new Map<Node, number>();
  const followers = new Map<Node, Node[]>();
  let inOrder = true;
  const seen = new Set<Node>();
  for (const node of nodes) {
    let count = 0;
    for (const name of usedValues(node)) {
      const producer = producers.get(name);
      if (producer === undefined) continue;
      count++;
      if (!seen.has(producer)) inOrder = false;
      const list = followers.get(producer);
      if (list === undefined) followers.set(producer, [node]);
      else list.push(node);
    }
    waiting.set(node, count);
    seen.add(node);
  }
  if (inOrder) return [...nodes];
  const order = nodes.filter((node) => waiting.get(node) === 0);
  for (let i = 0; i < order.length; i++) {
    for (const follower of followers.get(order[i]!) ?? []) {
      const left = waiting.get(follower)! - 1;
      waiting.set(follower, left);
      if (left === 0) order.push(follower);
    }
  }
  if (order.length !== nodes.length) {
    const stuck = nodes.find((node) => waiting.get(node)! > 0);
    const label = stuck?.outputs[0] ?? "";
    throw new ModelError("invalid-graph", `value "${label}": depends on itself (the graph has a cycle)`);
  }
  return order;
}

/**
 * Finds what depends on what; linear in the graph's size.
 * @throws ModelError `invalid-graph` for a cycle or a value with two sources
 */
export function analyseFlow<Node extends FlowNode>(graph: FlowGraph<Node>): DataFlow<Node> {
  const producers = findProducers(graph);
  const order = sortNodes(graph.nodes, producers);
  const inputs = new Set(graph.inputs);
  inputs.delete("");
  const outputs = new Set(graph.outputs);
  const varying = new Set<string>(inputs);
  for (const node of order) {
    if (!usedValues(node).some((name) => varying.has(name))) continue;
    for (const output of node.outputs) if (output !== "") varying.add(output);
  }
  const needed = new Set<string>(outputs);
  const relevant = new Set<Node>();
  for (let i = order.length - 1; i >= 0; i--) {
    const node = order[i]!;
    if (!node.outputs.some((name) => needed.has(name))) continue;
    const used = usedValues(node);
    for (const name of used) needed.add(name);
    if (used.some((name) => varying.has(name))) relevant.add(node);
  }
  return { order, producers, inputs, outputs, varying, relevant };
}
