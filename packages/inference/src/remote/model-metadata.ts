import { maxRank } from "@sluice/tensor";
import { EngineError } from "../engine.js";
import type { RawInfo } from "../worker-engine/messages.js";
import { datatypes } from "./datatype.js";

/** What a server says of a model. */
export interface RemoteModelMetadata {
  readonly name: string;
  /** `onnxruntime_onnx`, `tensorflow_savedmodel` and the like; empty where it says none. */
  readonly platform: string;
  readonly versions: readonly string[];
  readonly inputs: readonly RawInfo[];
  readonly outputs: readonly RawInfo[];
}

/** More inputs or outputs than any network has. */
const maxTensors = 1024;

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function refuse(what: string): never {
  throw new EngineError("load-failed", `the model's metadata are not of the protocol: ${what}`);
}

function readTensor(value: unknown): RawInfo {
  if (!isRecord(value) || typeof value.name !== "string") return refuse("a tensor has no name");
  const { name, datatype, shape } = value;
  const known = datatypes[String(datatype)];
  if (known === undefined)
    refuse(`tensor "${name}": data type ${String(datatype).slice(0, 20)} is not supported`);
  const sizes =
    Array.isArray(shape) && shape.length <= maxRank + 1
      ? shape.map(Number)
      : refuse(`tensor "${name}": shape`);
  return {
    ...{ name, type: known.type },
    shape: sizes.map((size, axis) => {
      if (Number.isInteger(size) && size >= 1) return size;
      return size === -1 ? `axis ${axis}` : refuse(`tensor "${name}": shape [${sizes.join(", ")}]`);
    }),
  };
}

function readTensors(value: unknown, what: string): RawInfo[] {
  if (!Array.isArray(value) || value.length === 0 || value.length > maxTensors) refuse(`${what} are missing`);
  return value.map(readTensor);
}

/** Reads a model metadata response. @throws EngineError `load-failed` naming what is wrong */
export function readModelMetadata(json: Readonly<Record<string, unknown>>): RemoteModelMetadata {
  return {
    name: typeof json.name === "string" ? json.name : refuse("name is missing"),
    platform: typeof json.platform === "string" ? json.platform : "",
    versions: Array.isArray(json.versions) ? json.versions.map(String) : [],
    inputs: readTensors(json.inputs, "inputs"),
    outputs: readTensors(json.outputs, "outputs"),
  };
}

/** Whether a server metadata response promises the binary tensor data extension. */
export function hasBinaryExtension(json: Readonly<Record<string, unknown>>): boolean {
  return Array.isArray(json.extensions) && json.extensions.includes("binary_tensor_data");
}
