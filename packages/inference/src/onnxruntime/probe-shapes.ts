import { EngineError } from "../engine.js";
import { ModelError } from "../model-error.js";
import { type OnnxModel, parseModel, requiredInputs } from "../onnx/model.js";
import { withOutputs } from "../onnx/split-graph.js";
import type { ValueType } from "../onnx/value-type.js";
import { elementTypes } from "../onnx/value-type.js";
import { openSizesAdvice } from "../tensor-info.js";
import { mergeShapes } from "../worker-engine/merge-shapes.js";
import type { RawData, RawInfo, RawTensor } from "../worker-engine/messages.js";
import { zerosOf } from "../worker-engine/raw-types.js";
import type { WorkerSession } from "../worker-engine/session.js";
import { type OnnxruntimeOptions, openOnnxSession } from "./open-onnx-session.js";

/** An input larger than this is not made only to learn shapes. */
const maxProbeElements = 1 << 26;

function zeros(type: string, count: number): RawData {
  const values = zerosOf(type, count);
  if (values === undefined) throw new ModelError("unsupported", `inputs of type ${type} are not supported`);
  return values;
}

/** @param only whether the model has no other input: then its sizes can be fixed behind its path */
function zeroInput(info: RawInfo, batch: number, only: boolean): RawTensor {
  const dims = info.shape.map((size, axis) => {
    if (typeof size === "number") return size;
    if (axis === 0) return batch;
    const advice = only
      ? openSizesAdvice(info.shape.slice(1))
      : `; sizes stand by the names of axes behind the path of a model, as in model.onnx:${size || `${info.name}.${axis}`}=128`;
    throw new ModelError("unsupported", `input "${info.name}": the size of axis ${axis} is open${advice}`);
  });
  const count = dims.reduce((product, size) => product * size, 1);
  if (count > maxProbeElements) {
    throw new ModelError("too-large", `input "${info.name}": ${count} elements, at most ${maxProbeElements}`);
  }
  return { type: info.type, dims, data: zeros(info.type, count) };
}

async function runZeros(session: WorkerSession, batch: number): Promise<readonly RawTensor[]> {
  const feeds: Record<string, RawTensor> = {};
  for (const info of session.inputs) feeds[info.name] = zeroInput(info, batch, session.inputs.length === 1);
  return session.run(feeds);
}

/**
 * Learns the types of inner values of a model by making them outputs and running zeros through it. An axis that
 * grows with the batch carries the name of the input's batch axis (or `batch` where that has no name); the other
 * sizes are numbers. The shape is null where the batch is not the first axis, and only that.
 * @throws ModelError `unsupported` for an input with an open axis other than the first
 * @throws EngineError where the model does not load or run
 */
export async function probeShapes(
  bytes: Uint8Array,
  names: readonly string[],
  options: OnnxruntimeOptions = {},
): Promise<Map<string, ValueType>> {
  return probe(parseModel(bytes), names, options);
}

/** How onnxruntime's binding refuses a model one of whose outputs is of a type that JavaScript has not, such as bfloat16. */
const typeRefusal = /Unsupported data type: (\d+)/;

/** Leaves out, half by half, the values on whose account the model is refused as an output. */
async function probe(
  model: OnnxModel,
  names: readonly string[],
  options: OnnxruntimeOptions,
): Promise<Map<string, ValueType>> {
  try {
    return await probeAll(model, names, options);
  } catch (error) {
    const refused = error instanceof EngineError ? typeRefusal.exec(error.message)?.[1] : undefined;
    if (refused === undefined || names.length === 0) throw error;
    const [name] = names;
    if (names.length === 1) return new Map([[name!, { elementType: Number(refused), shape: [] }]]);
    const half = names.length >> 1;
    const first = await probe(model, names.slice(0, half), options);
    const second = await probe(model, names.slice(half), options);
    return new Map([...first, ...second]);
  }
}

async function probeAll(
  model: OnnxModel,
  names: readonly string[],
  options: OnnxruntimeOptions,
): Promise<Map<string, ValueType>> {
  const firstAxis = requiredInputs(model.graph)[0]?.type?.shape?.[0];
  const session = await openOnnxSession(withOutputs(model, names), {
    ...options,
    ...{ graphOptimization: "disabled", shapesOnly: true },
  });
  try {
    // None of them is a tensor.
    if (session.outputs.length === 0) return new Map();
    const dynamic = session.inputs.some((info) => typeof info.shape[0] === "string");
    const single = await runZeros(session, 1);
    // A model may name its batch axis and yet have a Reshape for one sample inside: then it takes one at a time.
    const double = dynamic ? await runZeros(session, 2).catch(() => single) : single;
    const types = new Map<string, ValueType>();
    session.outputs.forEach(({ name }, i) => {
      const one = single[i]!;
      const elementType = elementTypes[one.type as keyof typeof elementTypes];
      if (elementType === undefined) return;
      const batchName = typeof firstAxis === "string" ? firstAxis : "batch";
      types.set(name, { elementType, shape: mergeShapes(one.dims, double[i]!.dims, batchName) });
    });
    return types;
  } finally {
    await session.close();
  }
}
