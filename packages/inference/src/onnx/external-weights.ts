/** Weights that lie in files beside the model (ONNX's external data), as exporters write them for large models. */
import { ModelError } from "../model-error.js";
import { maxModelBytes, type OnnxInitializer, type OnnxModel, parseInitializer } from "./model.js";
import { hasExternalTensors, withReplacedTensors } from "./nested-tensors.js";
import type { OnnxNode } from "./node.js";
import { encodeMessageField, fieldMessage, fieldText, joinFields, readFields } from "./wire-fields.js";

/** Where a tensor's bytes lie. */
export interface WeightsLocation {
  /** A path below the model's folder. */
  readonly location: string;
  readonly offset: number;
  /** In bytes; undefined: to the end of the file. */
  readonly length: number | undefined;
}

/** GraphProto.initializer */
const initializerField = 5;
/** TensorProto: the bytes of the values, and the two fields that say that they are elsewhere. */
const [rawDataField, externalDataField, dataLocationField] = [9, 13, 14];

const payloadOf = ({ raw }: OnnxInitializer) =>
  fieldMessage(readFields(raw, "GraphProto")[0]!, "GraphProto.initializer");

function byteCount(text: string | undefined, what: string): number | undefined {
  if (text === undefined) return undefined;
  const count = Number(text);
  if (Number.isSafeInteger(count) && count >= 0) return count;
  throw new ModelError("not-onnx", `${what}: a number of bytes expected, got "${text}"`);
}

function readLocation(payload: Uint8Array, name: string): WeightsLocation {
  const entries = new Map<string, string>();
  for (const field of readFields(payload, "TensorProto")) {
    if (field.number !== externalDataField) continue;
    const entry = readFields(fieldMessage(field, "external_data"), "StringStringEntryProto");
    const text = (number: number) => {
      const found = entry.find((part) => part.number === number);
      return found ? fieldText(found, "StringStringEntryProto") : "";
    };
    entries.set(text(1), text(2));
  }
  const location = entries.get("location") ?? "";
  if (location === "") {
    throw new ModelError("not-onnx", `weights "${name}" lie in another file, and it is not said in which`);
  }
  // What a model names must not lead out of its folder.
  if (/^([/\\]|[A-Za-z]:)/.test(location) || location.split(/[/\\]/).includes("..")) {
    throw new ModelError("unsupported", `weights "${name}": "${location}" is outside the model's folder`);
  }
  const offset = byteCount(entries.get("offset"), `weights "${name}": offset`) ?? 0;
  return { location, offset, length: byteCount(entries.get("length"), `weights "${name}": length`) };
}

/**
 * The model with all its weights inside.
 * @param read the bytes at a place; called for one after the other
 * @throws ModelError `not-onnx`, `unsupported` for a place outside the model's folder, `too-large` over
 *   {@link maxModelBytes} in all; what `read` throws
 */
export async function withEmbeddedWeights(
  model: OnnxModel,
  read: (place: WeightsLocation) => Promise<Uint8Array>,
): Promise<OnnxModel> {
  let total = 0;
  const grow = (bytes: number) => {
    total += bytes;
    if (total > maxModelBytes) {
      throw new ModelError("too-large", `has over ${maxModelBytes} bytes with its weights`);
    }
  };
  const embed = async (payload: Uint8Array, name: string): Promise<Uint8Array> => {
    const place = readLocation(payload, name);
    grow(place.length ?? 0);
    const values = await read(place);
    if (place.length === undefined) grow(values.length);
    const kept = readFields(payload, "TensorProto").filter(
      ({ number }) => number !== rawDataField && number !== externalDataField && number !== dataLocationField,
    );
    return joinFields([...kept.map(({ raw }) => raw), encodeMessageField(rawDataField, values)]);
  };
  const initializers: OnnxInitializer[] = [];
  for (const initializer of model.graph.initializers) {
    grow(initializer.raw.length);
    if (!initializer.external) {
      initializers.push(initializer);
      continue;
    }
    const tensor = await embed(payloadOf(initializer), initializer.name);
    initializers.push(parseInitializer(encodeMessageField(initializerField, tensor), tensor, false));
  }
  const nodes: OnnxNode[] = [];
  for (const node of model.graph.nodes) {
    const label = node.outputs[0] ?? node.name;
    nodes.push(await withReplacedTensors(node, (tensor) => embed(tensor, label)));
  }
  return { ...model, graph: { ...model.graph, nodes, initializers } };
}

/** Whether values of weights, or of constants inside nodes, lie in other files. */
export function hasExternalWeights({ graph }: OnnxModel): boolean {
  return graph.initializers.some(({ external }) => external) || graph.nodes.some(hasExternalTensors);
}
