import {
  bytesPerOutputElement,
  decodeBase64,
  elementCount,
  maxRank,
  type OutputDtype,
  type OutputTensor,
  outputElements,
} from "@sluice/tensor";

/** An output of a model. */
export interface NamedTensor {
  readonly name: string;
  /** Of any type that an output may have: also int64 and uint64, whose elements are bigints. */
  readonly tensor: OutputTensor;
}

const dtypes: readonly string[] = Object.keys(bytesPerOutputElement);

/**
 * The tensors in an answer (spec 7.2), copied: `{ outputs: [{ name, dtype, shape, data }] }` with the elements as bytes,
 * or, from JSON, in base64.
 * @throws RangeError or TensorError naming what is not as it should be: answers come from the network
 */
export function readOutputs(answer: unknown): NamedTensor[] {
  const { outputs } = record(answer, "answer");
  if (!Array.isArray(outputs)) throw new RangeError("outputs: must be a list");
  return outputs.map((value, i) => readOutput(record(value, `outputs[${i}]`), `outputs[${i}]`));
}

function record(value: unknown, field: string): Readonly<Record<string, unknown>> {
  if (typeof value !== "object" || value === null) throw new RangeError(`${field}: must be a map`);
  return value as Readonly<Record<string, unknown>>;
}

function readOutput(
  { name, dtype, shape, data }: Readonly<Record<string, unknown>>,
  field: string,
): NamedTensor {
  if (typeof name !== "string") throw new RangeError(`${field}.name: must be text`);
  if (typeof dtype !== "string" || !dtypes.includes(dtype)) {
    throw new RangeError(`${field}.dtype: must be one of ${dtypes.join(", ")}`);
  }
  const isShape =
    Array.isArray(shape) &&
    shape.length <= maxRank &&
    shape.every((size) => Number.isSafeInteger(size) && size >= 0);
  if (!isShape)
    throw new RangeError(`${field}.shape: must be at most ${maxRank} whole numbers, none negative`);
  const wanted = elementCount(shape) * bytesPerOutputElement[dtype as OutputDtype];
  const bytes = typeof data === "string" ? decodeBase64(data, wanted, `${field}.data`) : data;
  // The payload of a result is bounded, and with it what is taken here.
  if (!(bytes instanceof Uint8Array) || bytes.length !== wanted) {
    throw new RangeError(`${field}.data: must be ${wanted} bytes for ${dtype} [${shape.join(", ")}]`);
  }
  const copy = bytes.slice();
  const elements = outputElements(dtype as OutputDtype, copy.buffer as ArrayBuffer, 0, elementCount(shape));
  const layout = shape.length === 3 ? "chw" : "any";
  return { name, tensor: { dtype: dtype as OutputDtype, shape, layout, data: elements } };
}
