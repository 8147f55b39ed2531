import { ModelError } from "../model-error.js";

/** NodeDef of a GraphModel's JSON, as far as splitting goes. */
export interface GraphDefNode {
  readonly name: string;
  readonly opType: string;
  /** Values that it takes: `name` for a node's first output, `name:1` for its second. */
  readonly inputs: readonly string[];
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** `name:0` and `name` are the same value; `^name` says only that a node runs first. */
export function valueName(reference: string): string | undefined {
  if (reference.startsWith("^")) return undefined;
  return reference.endsWith(":0") ? reference.slice(0, -2) : reference;
}

/** The node that makes a value. */
export function nodeOfValue(value: string): string {
  const at = value.lastIndexOf(":");
  return at > 0 && /^\d+$/.test(value.slice(at + 1)) ? value.slice(0, at) : value;
}

/** Operations of which loops and branches of TensorFlow 1 are made: what they give may be of many rounds. */
const loopOperations = new Set(["Enter", "Merge", "Switch", "NextIteration", "LoopCond"]);

/** Whether a value is made by the machinery of a loop or branch. */
export function isLoopOperation(opType: string): boolean {
  return loopOperations.has(opType);
}

/** Reads the nodes of a GraphModel's topology. @throws ModelError `not-tfjs` */
export function readGraphDef(topology: unknown): GraphDefNode[] {
  if (!isRecord(topology) || !Array.isArray(topology.node)) {
    throw new ModelError("not-tfjs", "modelTopology.node: there is none");
  }
  return topology.node.map((node: unknown, i) => {
    if (!isRecord(node) || typeof node.name !== "string" || typeof node.op !== "string") {
      throw new ModelError("not-tfjs", `modelTopology.node[${i}]: needs a name and an op`);
    }
    const input = node.input ?? [];
    if (!Array.isArray(input) || !input.every((name): name is string => typeof name === "string")) {
      throw new ModelError("not-tfjs", `modelTopology.node[${i}].input: must be names`);
    }
    return {
      name: node.name,
      opType: node.op,
      inputs: input.map(valueName).filter((name) => name !== undefined),
    };
  });
}

/** An input or output as a model's signature declares it. */
interface SignatureEntry {
  /** The value in the graph; the signature has a name of its own for it. */
  readonly value: string;
  /** -1 where a size is open; undefined where the signature does not say. */
  readonly shape: number[] | undefined;
}

/** The inputs or outputs of a model's signature, by the names that the signature gives them. */
export function readSignature(
  signature: unknown,
  side: "inputs" | "outputs",
): ReadonlyMap<string, SignatureEntry> {
  const entries = new Map<string, SignatureEntry>();
  const values = isRecord(signature) ? signature[side] : undefined;
  if (!isRecord(values)) return entries;
  for (const [key, entry] of Object.entries(values)) {
    if (!isRecord(entry) || typeof entry.name !== "string") continue;
    const { tensorShape } = entry;
    const shape =
      isRecord(tensorShape) && Array.isArray(tensorShape.dim)
        ? tensorShape.dim.map((dim: unknown) => Number(isRecord(dim) ? dim.size : Number.NaN))
        : undefined;
    entries.set(key, { value: valueName(entry.name) ?? entry.name, shape });
  }
  return entries;
}
