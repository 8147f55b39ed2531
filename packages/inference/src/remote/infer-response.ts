import { maxElements, maxRank } from "@sluice/tensor";
import { EngineError } from "../engine.js";
import type { RawTensor } from "../worker-engine/messages.js";
import { datatypes } from "./datatype.js";

const utf8 = new TextDecoder("utf-8", { fatal: true });

function refuse(what: string): never {
  throw new EngineError("run-failed", `the server's answer is not of the protocol: ${what}`);
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Parses JSON. @throws EngineError `run-failed` */
export function parseAnswer(body: Uint8Array): Record<string, unknown> {
  let value: unknown;
  try {
    value = JSON.parse(utf8.decode(body));
  } catch {
    return refuse("it is no JSON");
  }
  return isRecord(value) ? value : refuse("it is no object");
}

/** A size may be 0, as where a detector has found nothing. */
function readShape(name: string, shape: unknown): number[] {
  const isShape =
    Array.isArray(shape) &&
    shape.length <= maxRank + 1 &&
    shape.every((size) => Number.isInteger(size) && size >= 0);
  return isShape ? shape : refuse(`output "${name}": shape ${JSON.stringify(shape)?.slice(0, 80)}`);
}

/** Values of JSON, in lists in lists or in one. */
function* flatten(value: unknown, depth: number): Generator<unknown> {
  if (!Array.isArray(value)) yield value;
  else if (depth > maxRank + 1) refuse("lists are nested too deep");
  else for (const item of value) yield* flatten(item, depth + 1);
}

function readJsonData(name: string, data: unknown, datatype: string, count: number): RawTensor["data"] {
  const { bytes, view, set } = datatypes[datatype]!;
  if (datatype === "FP16") refuse(`output "${name}": FP16 in JSON`);
  const target = view(new ArrayBuffer(count * bytes));
  const isBig = target instanceof BigInt64Array || target instanceof BigUint64Array;
  let at = 0;
  for (const value of flatten(data, 0)) {
    if (typeof value !== "number" && typeof value !== "boolean")
      refuse(`output "${name}": data are no numbers`);
    if (isBig && !Number.isInteger(Number(value))) refuse(`output "${name}": ${value} is no ${datatype}`);
    if (at < count) set(target, at, Number(value));
    at++;
  }
  return at === count ? target : refuse(`output "${name}": has ${at} values, its shape wants ${count}`);
}

/**
 * Decodes an inference response.
 * @param headerLength the value of `Inference-Header-Content-Length`; undefined: all of the body is JSON
 * @param wanted names of the outputs, in the order of the result
 * @returns tensors in buffers of their own
 * @throws EngineError `run-failed` naming what is wrong
 */
export function decodeInferResponse(
  headerLength: string | undefined,
  body: Uint8Array,
  wanted: readonly string[],
): RawTensor[] {
  const jsonLength =
    headerLength === undefined ? body.length : /^\d{1,15}$/.test(headerLength) ? Number(headerLength) : -1;
  if (jsonLength < 0 || jsonLength > body.length) {
    refuse(`Inference-Header-Content-Length is ${headerLength}, the body has ${body.length} bytes`);
  }
  const { outputs } = parseAnswer(body.subarray(0, jsonLength));
  if (!Array.isArray(outputs)) refuse("outputs are missing");
  let offset = jsonLength;
  const tensors = new Map<string, RawTensor>();
  for (const output of outputs) {
    if (!isRecord(output) || typeof output.name !== "string") refuse("an output has no name");
    const { name } = output;
    const datatype = String(output.datatype);
    const known = datatypes[datatype];
    if (known === undefined) refuse(`output "${name}": data type ${datatype.slice(0, 20)} is not supported`);
    const dims = readShape(name, output.shape);
    const count = dims.reduce((product, size) => product * size, 1);
    // A batch of the largest tensors is more than one may hold.
    if (count > 64 * maxElements) refuse(`output "${name}": ${count} elements`);
    const size = isRecord(output.parameters) ? output.parameters.binary_data_size : undefined;
    if (size === undefined) {
      tensors.set(name, { type: known.type, dims, data: readJsonData(name, output.data, datatype, count) });
      continue;
    }
    if (size !== count * known.bytes) {
      refuse(`output "${name}": binary_data_size is ${size}, its shape wants ${count * known.bytes}`);
    }
    if (offset + size > body.length) {
      refuse(
        `output "${name}": binary_data_size is ${size}, the body has ${body.length - offset} bytes left`,
      );
    }
    // A copy: the view's offset need not suit the type, and the caller gives the buffer away.
    const buffer = body.slice(offset, offset + size).buffer;
    offset += size;
    tensors.set(name, { type: known.type, dims, data: known.view(buffer) });
  }
  if (offset !== body.length) refuse(`${body.length - offset} bytes are left over`);
  return wanted.map((name) => tensors.get(name) ?? refuse(`output "${name}" is missing`));
}
