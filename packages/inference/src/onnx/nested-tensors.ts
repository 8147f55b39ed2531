/** Tensors inside nodes: of Constant, and of the subgraphs of If, Loop and Scan. */
import type { OnnxNode } from "./node.js";
import { encodeMessageField, fieldMessage, joinFields, readFields } from "./wire-fields.js";

type Kind = "node" | "attribute" | "graph" | "tensor";

/** What the fields of a message hold, by their numbers in onnx.proto. */
const contents: Readonly<Record<Exclude<Kind, "tensor">, Readonly<Record<number, Kind>>>> = {
  node: { 5: "attribute" },
  attribute: { 5: "tensor", 10: "tensor", 6: "graph", 11: "graph" },
  graph: { 1: "node", 5: "tensor" },
};

const dataLocationField = 14;

/** Whether a TensorProto's values lie in another file. */
function isExternal(tensor: Uint8Array): boolean {
  return readFields(tensor, "TensorProto").some(
    ({ number, value }) => number === dataLocationField && value === 1,
  );
}

function holdsExternal(message: Uint8Array, kind: Kind): boolean {
  if (kind === "tensor") return isExternal(message);
  return readFields(message, kind).some((field) => {
    const inner = contents[kind][field.number];
    return inner !== undefined && holdsExternal(fieldMessage(field, kind), inner);
  });
}

/** Whether a node holds a tensor whose values lie in another file. */
export function hasExternalTensors({ raw }: OnnxNode): boolean {
  return holdsExternal(fieldMessage(readFields(raw, "GraphProto")[0]!, "GraphProto.node"), "node");
}

async function replaceIn(
  message: Uint8Array,
  kind: Kind,
  replace: (tensor: Uint8Array) => Promise<Uint8Array>,
): Promise<Uint8Array> {
  if (!holdsExternal(message, kind)) return message;
  if (kind === "tensor") return replace(message);
  const parts: Uint8Array[] = [];
  for (const field of readFields(message, kind)) {
    const inner = contents[kind][field.number];
    parts.push(
      inner === undefined
        ? field.raw
        : encodeMessageField(field.number, await replaceIn(fieldMessage(field, kind), inner, replace)),
    );
  }
  return joinFields(parts);
}

/** The node with its tensors that lie elsewhere replaced, one after the other. @param replace TensorProto for TensorProto */
export async function withReplacedTensors(
  node: OnnxNode,
  replace: (tensor: Uint8Array) => Promise<Uint8Array>,
): Promise<OnnxNode> {
  const field = readFields(node.raw, "GraphProto")[0]!;
  const payload = await replaceIn(fieldMessage(field, "GraphProto.node"), "node", replace);
  return { ...node, raw: encodeMessageField(field.number, payload) };
}
