import {
  bytesPerElement,
  bytesPerOutputElement,
  elementCount,
  type Layout,
  type OutputTensor,
  outputElements,
  type Tensor,
} from "@sluice/tensor";
import { type Engine, EngineError, type RunOptions, type Sample } from "../engine.js";
import { describeTensor, type OutputInfo, type TensorInfo } from "../tensor-info.js";
import { type BatchTrust, type BatchTrustOptions, createBatchTrust } from "./batch-trust.js";
import type { RawData, RawInfo, RawTensor } from "./messages.js";
import { narrowOutput } from "./narrow-output.js";
import { dtypeOfRawType, outputDtypeOfRawType, zerosOf } from "./raw-types.js";
import type { WorkerSession } from "./session.js";
import type { SpareBuffers } from "./spare-buffers.js";

/** @throws EngineError `load-failed` for a type that Sluice has not */
export function describeInfo(info: RawInfo, imageLayout: Layout): TensorInfo {
  return describeTensor(info.name, known(info, dtypeOfRawType), info.shape, imageLayout);
}

/** @throws EngineError `load-failed` for a type that Sluice has not */
export function describeOutput(info: RawInfo, imageLayout: Layout): OutputInfo {
  return describeTensor(info.name, known(info, outputDtypeOfRawType), info.shape, imageLayout);
}

function known<D>({ name, type }: RawInfo, dtypes: Readonly<Record<string, D>>): D {
  const dtype = dtypes[type];
  if (dtype !== undefined) return dtype;
  throw new EngineError("load-failed", `value "${name}": is of type ${type}, which is not supported`);
}

function checkInput(info: TensorInfo, tensor: Tensor): void {
  if (tensor.dtype !== info.dtype) {
    throw new EngineError(
      "bad-input",
      `input "${info.name}": is ${tensor.dtype}, the model takes ${info.dtype}`,
    );
  }
  const fits =
    tensor.shape.length === info.shape.length &&
    info.shape.every((size, axis) => size === null || size === tensor.shape[axis]);
  if (!fits) {
    const wanted = info.shape.map((size) => size ?? "?").join(", ");
    throw new EngineError(
      "bad-input",
      `input "${info.name}": has shape [${tensor.shape.join(", ")}], the model takes [${wanted}]`,
    );
  }
}

/** Copies samples one behind the other into a buffer that can be given away. */
function stack(
  info: TensorInfo,
  rawType: string,
  samples: readonly Tensor[],
  buffers: SpareBuffers,
): RawTensor {
  const first = samples[0]!;
  for (const sample of samples) {
    checkInput(info, sample);
    if (sample.shape.some((size, axis) => size !== first.shape[axis])) {
      throw new EngineError("bad-input", `input "${info.name}": the samples of a batch differ in shape`);
    }
  }
  const count = elementCount(first.shape);
  const dims = info.batch === "none" ? first.shape : [samples.length, ...first.shape];
  if (!isHeldAsItIs(rawType)) {
    const data = zerosOf(rawType, count * samples.length)!;
    samples.forEach((sample, n) => {
      widen(info.name, sample, rawType, data, n * count);
    });
    return { type: rawType, dims, data };
  }
  const length = count * samples.length;
  const memory = buffers.take(length * bytesPerElement[info.dtype]);
  const data = outputElements(info.dtype, memory, 0, length);
  samples.forEach((sample, n) => {
    data.set(sample.data, n * count);
  });
  // A byte that is neither 0 nor 1 is no bool.
  if (rawType === "bool") for (let i = 0; i < length; i++) data[i] = data[i] === 0 ? 0 : 1;
  return { type: rawType, dims, data };
}

/** Whether a tensor's elements are the runtime's. */
function isHeldAsItIs(rawType: string): boolean {
  return rawType === "bool" || dtypeOfRawType[rawType] === rawType;
}

/** Copies a sample into numbers of another type. @throws EngineError `bad-input` for one that the type has not */
function widen(name: string, sample: Tensor, rawType: string, target: RawData, at: number): void {
  const isBig = target instanceof BigInt64Array || target instanceof BigUint64Array;
  const isFloat = target instanceof Float64Array;
  for (let i = 0; i < sample.data.length; i++) {
    const value = sample.data[i]!;
    if (isBig) target[at + i] = BigInt(value);
    else target[at + i] = value;
    if (!isFloat && Number(target[at + i]) !== value) {
      throw new EngineError("bad-input", `input "${name}": ${value} is outside the range of ${rawType}`);
    }
  }
}

/** Whether an output is declared without a batch axis. (Without axes it may be one of which nothing is declared.) */
function lacksBatch({ batch, shape }: OutputInfo): boolean {
  return batch === "none" && shape.length > 0;
}

/** Cuts an output into the samples' parts, which are views into it. */
function unstack(
  info: OutputInfo,
  raw: RawTensor,
  batched: boolean,
  samples: number,
  imageLayout: Layout,
): OutputTensor[] {
  const { name } = info;
  const dtype = outputDtypeOfRawType[raw.type];
  if (dtype === undefined) throw new EngineError("run-failed", `output "${name}": is of type ${raw.type}`);
  const { data } = raw;
  // Of a network without a batch axis an output may still look as if it had one: described so, it is given so.
  // A size that is declared is the same for any number of samples, also where it happens to be that number.
  const isDeclared = lacksBatch(info) && raw.dims.length === info.shape.length;
  const hasBatchAxis = !isDeclared && raw.dims.length > (batched ? 0 : 1) && raw.dims[0] === samples;
  if (!hasBatchAxis && samples > 1) {
    throw new EngineError(
      "run-failed",
      `output "${name}": has no batch axis (shape [${raw.dims.join(", ")}])`,
    );
  }
  const shape = hasBatchAxis ? raw.dims.slice(1) : raw.dims;
  const count = elementCount(shape);
  return Array.from({ length: samples }, (_, n) => {
    const byteOffset = data.byteOffset + n * count * bytesPerOutputElement[dtype];
    const part = outputElements(dtype, data.buffer as ArrayBuffer, byteOffset, count);
    return { dtype, shape, layout: shape.length === 3 ? imageLayout : "any", data: part };
  });
}

function tensorsOf(sample: Sample): readonly Tensor[] {
  return "dtype" in sample ? [sample] : sample;
}

function createEngine(session: WorkerSession, imageLayout: Layout, trust: BatchTrust): Engine {
  const inputs = session.inputs.map((info) => describeInfo(info, imageLayout));
  const outputs = session.outputs.map((info) => describeOutput(info, imageLayout));
  const batched = inputs.some((info) => info.batch !== "none");
  const stackable = inputs.every(({ batch }) => batch === "dynamic") && !outputs.some(lacksBatch);

  /** @param columns for each input, its samples */
  const runColumns = async (
    columns: readonly (readonly Tensor[])[],
    samples: number,
    options?: RunOptions,
  ): Promise<OutputTensor[][]> => {
    if (columns.length !== inputs.length) {
      throw new EngineError(
        "bad-input",
        `inputs: the model takes ${inputs.length} tensors, got ${columns.length}`,
      );
    }
    const feeds: Record<string, RawTensor> = {};
    inputs.forEach((info, i) => {
      feeds[info.name] = stack(info, session.inputs[i]!.type, columns[i]!, session.buffers);
    });
    const results = await session.run(feeds, options);
    const parts = results.map((raw, i) => unstack(outputs[i]!, raw, batched, samples, imageLayout));
    return Array.from({ length: samples }, (_, n) => parts.map((part) => part[n]!));
  };
  const runOne = async (tensors: readonly Tensor[], options?: RunOptions): Promise<OutputTensor[]> => {
    const [result] = await runColumns(
      tensors.map((tensor) => [tensor]),
      1,
      options,
    );
    return result!;
  };
  const runEach = async (
    samples: readonly (readonly Tensor[])[],
    options?: RunOptions,
  ): Promise<OutputTensor[][]> => {
    const results: OutputTensor[][] = [];
    for (const sample of samples) results.push(await runOne(sample, options));
    return results;
  };
  const answer = async (given: readonly Sample[], options?: RunOptions): Promise<OutputTensor[][]> => {
    if (given.length === 0) return [];
    const samples = given.map(tensorsOf);
    if (!stackable || (samples.length > 1 && !trust.isGiven())) return runEach(samples, options);
    try {
      const columns = samples[0]!.map((_, i) => samples.map((sample) => sample[i]!));
      const results = await runColumns(columns, samples.length, options);
      if (samples.length > 1) trust.confirm();
      return results;
    } catch (error) {
      if (samples.length === 1 || !(error instanceof EngineError) || error.kind !== "run-failed") throw error;
      const results = await runEach(samples, options);
      trust.withdraw(samples.length, error.message);
      return results;
    }
  };
  const narrow = (results: readonly OutputTensor[]): Tensor[] =>
    results.map((output, i) => narrowOutput(outputs[i]!.name, output));
  return {
    inputs,
    outputs,
    provider: session.provider,
    answer,
    run: async (tensors, options) => narrow(await runOne(tensors, options)),
    runBatch: async (samples, options) => (await answer(samples, options)).map(narrow),
    counters: () => session.counters(),
    close: () => session.close(),
  };
}

/**
 * An engine over a network in a worker thread; the session is closed where that cannot be.
 * @param imageLayout what three axes beside the batch axis are in the network's format
 * @param options `onLog` takes a line when batches fail and when they run again
 * @throws EngineError `load-failed` for inputs or outputs that Sluice cannot carry
 */
export async function createEngineOver(
  session: WorkerSession,
  imageLayout: Layout,
  options: Partial<BatchTrustOptions> = {},
): Promise<Engine> {
  try {
    return createEngine(session, imageLayout, createBatchTrust({ now: () => performance.now(), ...options }));
  } catch (error) {
    await session.close();
    throw error;
  }
}
