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

/** The shape that a model's signature declares for an input: -1 where a size is open; undefined where it does not. */
export function signatureShape(signature: unknown, value: string): number[] | undefined {
  if (!isRecord(signature) || !isRecord(signature.inputs)) return undefined;
  for (const input of Object.values(signature.inputs)) {
    if (!isRecord(input) || typeof input.name !== "string" || valueName(input.name) !== value) continue;
    const { tensorShape } = input;
    if (!isRecord(tensorShape) || !Array.isArray(tensorShape.dim)) return undefined;
    return tensorShape.dim.map((dim: unknown) => Number(isRecord(dim) ? dim.size : Number.NaN));
  }
  return undefined;
}
