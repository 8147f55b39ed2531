import { type DataFlow, usedValues } from "./data-flow.js";

/** Why a value is no cut although a node makes it. */
export interface Obstacle {
  /** For people. */
  readonly reason: string;
  /** The values of a path from an input to an output that goes around it; empty where that is not the reason. */
  readonly bypass: readonly string[];
}

/** A graph in numbers: large ones are walked through once for each of their values. */
interface IndexedFlow {
  readonly names: readonly string[];
  readonly idOf: ReadonlyMap<string, number>;
  /** For each value the number of the node that makes it; -1: none does. */
  readonly makerOf: Int32Array;
  /** For each node the values that it uses. */
  readonly usedBy: readonly (readonly number[])[];
}

function indexFlow(flow: DataFlow): IndexedFlow {
  const names: string[] = [];
  const idOf = new Map<string, number>();
  const idFor = (name: string): number => {
    let id = idOf.get(name);
    if (id === undefined) {
      id = names.push(name) - 1;
      idOf.set(name, id);
    }
    return id;
  };
  const usedBy = flow.order.map((node) => usedValues(node).map(idFor));
  const outputs = flow.order.map((node) => node.outputs.filter((name) => name !== "").map(idFor));
  for (const name of [...flow.inputs, ...flow.outputs]) idFor(name);
  const makerOf = new Int32Array(names.length).fill(-1);
  outputs.forEach((ids, node) => {
    for (const id of ids) makerOf[id] = node;
  });
  return { names, idOf, makerOf, usedBy };
}

/** Walks back from values to all that they are made of; the arrays are used again by the next walk. */
function createWalker({ names, makerOf, usedBy }: IndexedFlow) {
  const reachedIn = new Int32Array(names.length);
  const nodeReachedIn = new Int32Array(usedBy.length);
  const next = new Int32Array(names.length);
  const queue = new Int32Array(names.length);
  let walk = 0;
  return {
    /** For each value that was reached, the one made from it through which it was; -1 at the start. */
    next,
    /** @param stopAt what this is made of is not looked at; -1: nothing */
    from(starts: readonly number[], stopAt: number): void {
      walk++;
      let count = 0;
      const reach = (id: number, through: number): void => {
        if (reachedIn[id] === walk) return;
        reachedIn[id] = walk;
        next[id] = through;
        queue[count++] = id;
      };
      for (const id of starts) reach(id, -1);
      for (let i = 0; i < count; i++) {
        const value = queue[i]!;
        const node = makerOf[value]!;
        if (value === stopAt || node < 0 || nodeReachedIn[node] === walk) continue;
        nodeReachedIn[node] = walk;
        for (const used of usedBy[node]!) reach(used, value);
      }
    },
    hasReached: (id: number): boolean => reachedIn[id] === walk,
  };
}

function formatBypass(path: readonly string[], crossing: string): string {
  const shown = path.length > 8 ? [...path.slice(0, 4), "…", ...path.slice(-3)] : path;
  return `"${crossing}" bypasses it (path ${shown.join(" -> ")})`;
}

/** Says of any value that a node makes why it is no cut; undefined: it is one. */
export function createObstacleFinder(flow: DataFlow): (value: string) => Obstacle | undefined {
  const indexed = indexFlow(flow);
  const { names, idOf } = indexed;
  const walker = createWalker(indexed);
  const inputs = [...flow.inputs].map((name) => idOf.get(name)!);
  const outputs = [...flow.outputs].map((name) => idOf.get(name)!);
  return (value) => {
    if (!flow.varying.has(value)) return { reason: "does not depend on the model's input", bypass: [] };
    const cut = idOf.get(value)!;
    walker.from(outputs, cut);
    if (!walker.hasReached(cut)) return { reason: "no output depends on it", bypass: [] };
    const input = inputs.find(walker.hasReached);
    if (input === undefined) return undefined;
    const path: number[] = [];
    for (let at = input; at >= 0; at = walker.next[at]!) path.push(at);
    // It leaves what the value is made of at the last of its values that the value is made of, too.
    walker.from([cut], -1);
    const crossing = path.filter((id) => id === input || walker.hasReached(id)).at(-1)!;
    const bypass = path.map((id) => names[id]!);
    return { reason: formatBypass(bypass, names[crossing]!), bypass };
  };
}
