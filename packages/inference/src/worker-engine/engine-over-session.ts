import {
  bytesPerElement,
  createTensor,
  type Dtype,
  elementCount,
  type Layout,
  type Tensor,
} from "@sluice/tensor";
import { type Engine, EngineError, type RunOptions } from "../engine.js";
import { describeTensor, type TensorInfo } from "../tensor-info.js";
import { type BatchTrust, type BatchTrustOptions, createBatchTrust } from "./batch-trust.js";
import type { RawData, RawInfo, RawTensor } from "./messages.js";
import type { WorkerSession } from "./session.js";
import type { SpareBuffers } from "./spare-buffers.js";

const constructors = {
  float32: Float32Array,
  float16: Uint16Array,
  uint8: Uint8Array,
  int8: Int8Array,
  int32: Int32Array,
} as const;

/** A runtime's type -> dtype: int64 is held as int32, bool as uint8. */
export const dtypeOfRawType: Readonly<Record<string, Dtype>> = {
  float32: "float32",
  float16: "float16",
  uint8: "uint8",
  bool: "uint8",
  int8: "int8",
  int32: "int32",
  int64: "int32",
};

/** @throws EngineError `load-failed` for a type that Sluice has not */
export function describeInfo(info: RawInfo, imageLayout: Layout): TensorInfo {
  const dtype = dtypeOfRawType[info.type];
  if (dtype === undefined) {
    throw new EngineError(
      "load-failed",
      `value "${info.name}": is of type ${info.type}, which is not supported`,
    );
  }
  return describeTensor(info.name, dtype, info.shape, imageLayout);
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
  if (rawType === "int64") {
    const data = new BigInt64Array(count * samples.length);
    samples.forEach((sample, n) => {
      for (let i = 0; i < count; i++) data[n * count + i] = BigInt(sample.data[i]!);
    });
    return { type: rawType, dims, data };
  }
  const length = count * samples.length;
  const memory = buffers.take(length * bytesPerElement[info.dtype]);
  const data = new constructors[info.dtype](memory, 0, length);
  samples.forEach((sample, n) => {
    data.set(sample.data, n * count);
  });
  return { type: rawType, dims, data };
}

function narrow(name: string, data: RawData): Exclude<RawData, BigInt64Array> {
  if (!(data instanceof BigInt64Array)) return data;
  const result = new Int32Array(data.length);
  for (let i = 0; i < data.length; i++) {
    const value = Number(data[i]);
    if (value !== (value | 0)) {
      throw new EngineError("run-failed", `output "${name}": ${value} is outside the range of int32`);
    }
    result[i] = value;
  }
  return result;
}

/** Cuts an output into the samples' parts, which are views into it. */
function unstack(
  name: string,
  raw: RawTensor,
  batched: boolean,
  samples: number,
  imageLayout: Layout,
): Tensor[] {
  const dtype = dtypeOfRawType[raw.type];
  if (dtype === undefined) throw new EngineError("run-failed", `output "${name}": is of type ${raw.type}`);
  const data = narrow(name, raw.data);
  // Of a network without a batch axis an output may still look as if it had one: described so, it is given so.
  const hasBatchAxis = raw.dims.length > (batched ? 0 : 1) && raw.dims[0] === samples;
  if (!hasBatchAxis && samples > 1) {
    throw new EngineError(
      "run-failed",
      `output "${name}": has no batch axis (shape [${raw.dims.join(", ")}])`,
    );
  }
  const shape = hasBatchAxis ? raw.dims.slice(1) : raw.dims;
  const count = elementCount(shape);
  return Array.from({ length: samples }, (_, n) => {
    const part = new constructors[dtype](
      data.buffer as ArrayBuffer,
      data.byteOffset + n * count * bytesPerElement[dtype],
      count,
    );
    return createTensor(dtype, shape, part, shape.length === 3 ? imageLayout : "any");
  });
}

function createEngine(session: WorkerSession, imageLayout: Layout, trust: BatchTrust): Engine {
  const inputs = session.inputs.map((info) => describeInfo(info, imageLayout));
  const outputs = session.outputs.map((info) => describeInfo(info, imageLayout));
  const batched = inputs.some((info) => info.batch !== "none");
  const stackable = inputs.length === 1 && inputs[0]!.batch === "dynamic";

  /** @param columns for each input, its samples */
  const runColumns = async (
    columns: readonly (readonly Tensor[])[],
    samples: number,
    options?: RunOptions,
  ): Promise<Tensor[][]> => {
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
    const parts = results.map((raw, i) => unstack(outputs[i]!.name, raw, batched, samples, imageLayout));
    return Array.from({ length: samples }, (_, n) => parts.map((part) => part[n]!));
  };
  const run = async (tensors: readonly Tensor[], options?: RunOptions): Promise<Tensor[]> => {
    const [result] = await runColumns(
      tensors.map((tensor) => [tensor]),
      1,
      options,
    );
    return result!;
  };
  const runEach = async (samples: readonly Tensor[], options?: RunOptions): Promise<Tensor[][]> => {
    const results: Tensor[][] = [];
    for (const sample of samples) results.push(await run([sample], options));
    return results;
  };
  return {
    inputs,
    outputs,
    provider: session.provider,
    run,
    async runBatch(samples, options) {
      if (samples.length === 0) return [];
      if (!stackable || (samples.length > 1 && !trust.isGiven())) return runEach(samples, options);
      try {
        const results = await runColumns([samples], samples.length, options);
        if (samples.length > 1) trust.confirm();
        return results;
      } catch (error) {
        if (samples.length === 1 || !(error instanceof EngineError) || error.kind !== "run-failed")
          throw error;
        const results = await runEach(samples, options);
        trust.withdraw(samples.length, error.message);
        return results;
      }
    },
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
