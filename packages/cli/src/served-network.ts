import {
  bundleInfo,
  classify,
  createRestartingEngine,
  decodeCtc,
  type Engine,
  type EngineOptions,
  type Model,
  ModelError,
  mixesSamples,
  type Network,
  numbersOf,
  type OutputInfo,
  openSizesAdvice,
  specOf,
  type TensorInfo,
} from "@sluice/inference";
import { ErrorCode, type ResultContent } from "@sluice/protocol";
import {
  answerOutputs,
  answerPredictions,
  checkOutputsFit,
  type LoadedHalf,
  measureBatchCosts,
  type ServedNetwork,
  type ServedStream,
  StreamRefusal,
} from "@sluice/server";
import {
  convertTensor,
  createTensor,
  type OutputTensor,
  type Tensor,
  type TensorSpec,
  unpackTensors,
} from "@sluice/tensor";
import { readHashedStatistics } from "./statistics-hash.js";

/** Frames that one run of a network takes at most; the scheduler takes as many of them as the measurement shows a gain for. */
const maxFrames = 16;

/** Runs under way at another server: it is away for longer than it computes. */
const maxRemoteRuns = 8;

/** Loads the half of a model behind a cut, runs it warm and measures batches. @throws StreamRefusal for an illegal cut */
export async function loadServedHalf(
  model: Model,
  split: string,
  options: EngineOptions,
): Promise<LoadedHalf> {
  const half = await tailOf(model, split);
  const batches = half.inputs.every(({ batch }) => batch === "dynamic") ? [1, maxFrames] : [1];
  const engine = await createRestartingEngine(() => half.load({ ...options, batches }), {
    now: () => performance.now(),
  });
  try {
    const statistics = split === "" ? undefined : await readHashedStatistics(model, split);
    const input = bundleInfo("inputs", engine.inputs);
    const network = await createNetwork(engine, half.engine === "remote", options.onLog);
    return {
      serve({ spec, content, maxResultBytes }) {
        checkSpec(spec, input, engine.inputs);
        return {
          network,
          // A mean of other tensors' numbers means nothing in a bundle that does not say what lies in it.
          ...(engine.inputs.length > 1 && !spec.parts ? { concealment: "zero" as const } : {}),
          answer: chooseAnswer(engine.outputs, { content, maxResultBytes }, model),
          ...(statistics ? { statistics } : {}),
          ...(model.hash ? { modelHash: model.hash } : {}),
          ...(engine.provider ? { provider: engine.provider } : {}),
        };
      },
      get provider() {
        return engine.provider;
      },
      close: () => engine.close(),
    };
  } catch (error) {
    await engine.close();
    throw error;
  }
}

async function tailOf(model: Model, split: string): Promise<Network> {
  if (split === "") return model.network;
  try {
    return (await model.network.split(split)).tail;
  } catch (error) {
    if (error instanceof ModelError) throw new StreamRefusal(ErrorCode.unknownSplit, error.message);
    throw error;
  }
}

async function createNetwork(
  engine: Engine,
  isRemote: boolean,
  onLog?: (line: string) => void,
): Promise<ServedNetwork<readonly OutputTensor[]>> {
  const { inputs } = engine;
  const isMixing = await mixesSamples(engine);
  if (isMixing) onLog?.("samples of a batch change each other in this network: its frames run one by one");
  const isStackable = inputs.every(({ batch }) => batch === "dynamic") && !isMixing;
  // Made once: memory that nobody has used before costs a fault for each page, which frames do not.
  const zeros = inputs.map(({ dtype, shape, layout }) =>
    createTensor(
      dtype,
      shape.map((size) => size ?? 1),
      undefined,
      layout,
    ),
  );
  // No frame should wait for what the first runs allocate and compile.
  const costs = await measureBatchCosts((frames) => engine.answer(new Array(frames).fill(zeros)), {
    maxFrames: isStackable ? maxFrames : 1,
    now: () => performance.now(),
  }).catch((cause: unknown) => {
    const open = inputs.find(({ shape }) => shape.includes(null));
    throw open ? openSizesError(open, cause) : cause;
  });
  const takeFrame = createTaker(inputs);
  return {
    ...{ maxFrames: isStackable ? maxFrames : 1, costs },
    // In this process what a run takes is copied into its batch, and outputs have memory of their own.
    ...(isRemote ? { maxUnderWay: maxRemoteRuns } : { isSerial: true, letsGo: true }),
    run: (frames, options) =>
      engine.answer(
        frames.map(({ tensor }) => takeFrame(tensor)),
        options,
      ),
  };
}

/** What a network takes of a frame's tensor. */
function createTaker(inputs: readonly TensorInfo[]): (tensor: Tensor) => readonly Tensor[] {
  const { dtype } = inputs[0]!;
  // Pixels may come as uint8, numbers as float32, where the network takes something else.
  if (inputs.length === 1) return (tensor) => [convertTensor(tensor, dtype)];
  const specs = inputs.map((info) => specOf(info));
  return (tensor) => unpackTensors(tensor, specs);
}

function openSizesError({ name, shape }: TensorInfo, cause: unknown): ModelError {
  const reason = cause instanceof Error ? cause.message : String(cause);
  const message = `input "${name}": leaves sizes open and does not run with ones (${reason})${openSizesAdvice(shape)}`;
  return new ModelError("unsupported", message, { cause });
}

function checkSpec(
  spec: TensorSpec,
  { dtype, shape: wanted }: TensorInfo,
  inputs: readonly TensorInfo[],
): void {
  const fits =
    wanted.length === spec.shape.length && wanted.every((size, i) => size === null || size === spec.shape[i]);
  if (inputs.length > 1) {
    if (fits && dtype === spec.dtype && areParts(spec.parts, inputs)) return;
    const told = inputs
      .map(({ name, dtype, shape }) => `"${name}" ${dtype} [${shape.join(", ")}]`)
      .join(", ");
    throw new StreamRefusal(
      ErrorCode.specMismatch,
      `shape: a frame is the bundle of ${told}, which is ${dtype} [${wanted.join(", ")}]; the stream's is ${describeBundle(spec)}`,
    );
  }
  if (fits) return;
  throw new StreamRefusal(
    ErrorCode.specMismatch,
    `shape: the tensor at the cut is [${wanted.join(", ")}], the stream's is [${spec.shape.join(", ")}]`,
  );
}

/** Whether a bundle holds what the network takes, where it says what it holds (spec 6.14). */
function areParts(parts: TensorSpec["parts"], inputs: readonly TensorInfo[]): boolean {
  if (!parts) return true;
  return (
    parts.length === inputs.length &&
    parts.every(({ dtype, shape }, i) => {
      const wanted = inputs[i]!;
      return dtype === wanted.dtype && shape.join() === wanted.shape.join();
    })
  );
}

function describeBundle({ dtype, shape, parts }: TensorSpec): string {
  const whole = `${dtype} [${shape.join(", ")}]`;
  return parts ? `${whole} of ${parts.map((part) => describeBundle(part)).join(", ")}` : whole;
}

/** Of scores; wider whole numbers are indices and counts. */
const scoreDtypes: readonly string[] = ["float32", "float16", "float64", "uint8", "int8"];

/** Whether an output may be one value for each class. */
function isClassifier(outputs: readonly OutputInfo[]): boolean {
  const [output, ...others] = outputs;
  const sizes = output?.shape.filter((size) => size !== 1) ?? [];
  return others.length === 0 && sizes.length === 1 && scoreDtypes.includes(output!.dtype);
}

/** @throws StreamRefusal where the model cannot answer that */
function chooseAnswer(
  outputs: readonly OutputInfo[],
  {
    content,
    maxResultBytes,
  }: { readonly content: ResultContent; readonly maxResultBytes?: number | undefined },
  { labels, alphabet }: Pick<Model, "labels" | "alphabet">,
): ServedStream<readonly OutputTensor[]>["answer"] {
  if (alphabet && content !== "tensors") {
    return ([output], frame) => {
      const { text, score } = decodeCtc({ shape: output!.shape, data: numbersOf(output!) }, alphabet);
      return answerPredictions([{ name: "text", description: text, score: roundScore(score) }], frame);
    };
  }
  if (content === "predictions" && !isClassifier(outputs)) {
    const shapes = outputs.map(
      ({ name, shape }) => `"${name}" [${shape.map((size) => size ?? "?").join(", ")}]`,
    );
    throw new StreamRefusal(
      ErrorCode.specMismatch,
      `result_content: predictions are a classifier's, with one row of scores; this model gives ${shapes.join(", ")}`,
    );
  }
  if (content === "predictions" || (content === "model" && isClassifier(outputs))) {
    return ([output], frame) => answerPredictions(classify(output!, labels).map(toPrediction), frame);
  }
  // An open axis is known when it has run; a result that is too large then fails its frame.
  checkOutputsFit(
    outputs.map(({ name, dtype, shape }) => ({ name, dtype, shape: shape.map((size) => size ?? 1) })),
    maxResultBytes,
  );
  const names = outputs.map(({ name }) => name);
  return (tensors, frame) => answerOutputs(names, tensors, frame);
}

function toPrediction({ label, name, probability }: { label: number; name: string; probability: number }) {
  // The names of the source's result format.
  return { name: String(label), description: name, score: roundScore(probability) };
}

/** A score has no use for more than six digits. */
function roundScore(score: number): number {
  return Math.round(score * 1e6) / 1e6;
}
