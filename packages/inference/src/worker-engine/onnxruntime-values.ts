/** Tensors on their way into and out of onnxruntime, whose builds for Node and for pages have the same types. */
import type * as Ort from "onnxruntime-node";
import type { RawData, RawInfo, RawTensor } from "./messages.js";

/** An output's values as onnxruntime gives them. */
interface RuntimeTensor {
  readonly type: string;
  readonly dims: readonly number[];
  readonly data: unknown;
}

/** @throws Error naming a value that is no tensor */
export function describeValues(values: readonly Ort.InferenceSession.ValueMetadata[]): RawInfo[] {
  return values.map((value) => {
    if (!value.isTensor) throw new Error(`value "${value.name}": is not a tensor`);
    return { name: value.name, type: value.type, shape: value.shape };
  });
}

/** The inputs as tensors of a runtime. */
export function feedsOf(
  { Tensor }: Pick<typeof Ort, "Tensor">,
  inputs: Readonly<Record<string, RawTensor>>,
): Record<string, Ort.Tensor> {
  const feeds: Record<string, Ort.Tensor> = {};
  for (const [name, { type, data, dims }] of Object.entries(inputs)) {
    feeds[name] = new Tensor(type as Ort.Tensor.Type, data, dims);
  }
  return feeds;
}

/**
 * The output's values in a buffer of their own, which can be given away: the runtime may keep its own one.
 * @throws Error naming an output that is missing or holds text
 */
export function takeOutput(name: string, tensor: RuntimeTensor | undefined): RawTensor {
  if (tensor === undefined) throw new Error(`output "${name}": the runtime gave none`);
  const { dims, type } = tensor;
  if (Array.isArray(tensor.data))
    throw new Error(`output "${name}": is of type ${type}, which cannot be sent`);
  const data = tensor.data as RawData;
  if (type === "float16") {
    // Newer runtimes give a Float16Array; Sluice holds the bit patterns.
    return { type, dims, data: new Uint16Array(data.buffer, data.byteOffset, data.length).slice() };
  }
  return { type, dims, data: data.slice() };
}
