import { ModelError } from "../model-error.js";
import { decodeValueInfo } from "./value-type.js";
import { fieldMessage, fieldText, readFields, type WireField } from "./wire-fields.js";

/** NodeProto: one operation. */
export interface OnnxNode {
  /** The field in its graph, with its tag. */
  readonly raw: Uint8Array;
  readonly name: string;
  readonly opType: string;
  /** In the operator's order; "" where an optional one is left out. */
  readonly inputs: readonly string[];
  /** In the operator's order; "" where an optional one is left out. */
  readonly outputs: readonly string[];
  /** Values of the graph around that the node's own subgraphs (of If, Loop, Scan) use without being given them. */
  readonly captures: readonly string[];
}

/** Deeper nesting of If and Loop than this is taken for an attack on the stack. */
const maxSubgraphDepth = 16;

/** Names that a subgraph uses and does not define; added to `captures`. */
function collectCaptures(graph: Uint8Array, captures: Set<string>, depth: number): void {
  const defined = new Set<string>([""]);
  const used: string[] = [];
  for (const field of readFields(graph, "GraphProto")) {
    if (field.number === 1) {
      const node = parseNode(field.raw, fieldMessage(field, "GraphProto.node"), depth + 1);
      used.push(...node.inputs, ...node.captures);
      for (const output of node.outputs) defined.add(output);
    } else if (field.number === 11) {
      defined.add(decodeValueInfo(fieldMessage(field, "GraphProto.input")).name);
    } else if (field.number === 12) {
      // An output can be a value of the graph around, passed through.
      used.push(decodeValueInfo(fieldMessage(field, "GraphProto.output")).name);
    } else if (field.number === 5) {
      addTensorName(fieldMessage(field, "GraphProto.initializer"), defined);
    } else if (field.number === 15) {
      for (const part of readFields(
        fieldMessage(field, "GraphProto.sparse_initializer"),
        "SparseTensorProto",
      )) {
        if (part.number === 1) addTensorName(fieldMessage(part, "values"), defined);
      }
    }
  }
  for (const name of used) if (!defined.has(name)) captures.add(name);
}

function addTensorName(tensor: Uint8Array, names: Set<string>): void {
  for (const field of readFields(tensor, "TensorProto")) {
    if (field.number === 8) names.add(fieldText(field, "TensorProto.name"));
  }
}

function collectAttributeCaptures(attribute: WireField, captures: Set<string>, depth: number): void {
  for (const field of readFields(fieldMessage(attribute, "NodeProto.attribute"), "AttributeProto")) {
    // g and graphs: one subgraph, a list of them.
    if (field.number === 6 || field.number === 11) {
      collectCaptures(fieldMessage(field, "AttributeProto.g"), captures, depth);
    }
  }
}

/**
 * Parses the names in a NodeProto.
 * @param raw the field that it came in, with its tag
 * @throws ModelError `not-onnx`
 */
export function parseNode(raw: Uint8Array, payload: Uint8Array, depth = 0): OnnxNode {
  if (depth > maxSubgraphDepth) {
    throw new ModelError("not-onnx", `NodeProto.attribute: subgraphs nested over ${maxSubgraphDepth} deep`);
  }
  const inputs: string[] = [];
  const outputs: string[] = [];
  const captures = new Set<string>();
  let name = "";
  let opType = "";
  for (const field of readFields(payload, "NodeProto")) {
    if (field.number === 1) inputs.push(fieldText(field, "NodeProto.input"));
    else if (field.number === 2) outputs.push(fieldText(field, "NodeProto.output"));
    else if (field.number === 3) name = fieldText(field, "NodeProto.name");
    else if (field.number === 4) opType = fieldText(field, "NodeProto.op_type");
    else if (field.number === 5) collectAttributeCaptures(field, captures, depth);
  }
  return { raw, name, opType, inputs, outputs, captures: [...captures] };
}

/** The value of an integer attribute of a node, or undefined where it has none of that name. */
export function integerAttribute(node: OnnxNode, name: string): number | undefined {
  const field = readFields(node.raw, "GraphProto.node")[0];
  if (field === undefined) return undefined;
  for (const attribute of readFields(field.payload, "NodeProto")) {
    if (attribute.number !== 5) continue;
    const parts = readFields(attribute.payload, "AttributeProto");
    const label = parts.find((part) => part.number === 1);
    if (label !== undefined && fieldText(label, "AttributeProto.name") === name) {
      return parts.find((part) => part.number === 3)?.value;
    }
  }
  return undefined;
}
