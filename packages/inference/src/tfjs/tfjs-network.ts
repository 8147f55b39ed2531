import { Worker } from "node:worker_threads";
import type { TensorSpec } from "@sluice/tensor";
import { type Engine, EngineError } from "../engine.js";
import { checkFlowCut } from "../graph/check-cut.js";
import { analyseFlow, type FlowGraph } from "../graph/data-flow.js";
import { describeCuts, describeIllegalCuts, type KnownGraph, workBefore } from "../graph/describe-cuts.js";
import type { InputSizes } from "../input-sizes.js";
import { ModelError } from "../model-error.js";
import type { EngineOptions, Network } from "../network.js";
import { describeTensor, specOf, type TensorInfo, withinLimits } from "../tensor-info.js";
import { checkOptions } from "../worker-engine/engine-options.js";
import { createEngineOver } from "../worker-engine/engine-over-session.js";
import type { RawInfo, RefusalReason } from "../worker-engine/messages.js";
import { dtypeOfRawType } from "../worker-engine/raw-types.js";
import { openSession } from "../worker-engine/session.js";
import { readArtifacts, type TfjsArtifacts } from "./artifacts.js";
import { nodeOfValue } from "./graph-def.js";
import type {
  TfjsDescribeReply,
  TfjsDescription,
  TfjsNode,
  TfjsPart,
  TfjsValueType,
  TfjsWorkerSettings,
} from "./messages.js";
import { type TfjsBackend, tfjsBackends } from "./open-backend.js";

/** How TensorFlow.js runs a model. */
export interface TfjsOptions {
  /** What is tried, in this order; by default all of {@link tfjsBackends}. */
  readonly backends?: readonly TfjsBackend[];
  /** Modules that take the place of the packages, by the package's name. */
  readonly modules?: Readonly<Record<string, string>>;
  /** That its inputs leave open. */
  readonly sizes?: InputSizes;
  /** Takes one line about the backend that was found and what was not. */
  readonly onLog?: (line: string) => void;
}

const workerUrl = new URL("./worker.js", import.meta.url);

function describeRefusal(reason: RefusalReason, message: string): string {
  // What is said about an input is said to whoever gave its sizes.
  if (/^(?:sizes|input ")/.test(message)) return message;
  return reason === "load-failed"
    ? `TensorFlow.js does not take the model: ${message}`
    : `no backend of TensorFlow.js loads (${message}); "npm install @tensorflow/tfjs @tensorflow/tfjs-backend-wasm" ` +
        "beside Sluice gives the one in WebAssembly";
}

function settingsFor(
  artifacts: TfjsArtifacts,
  task: TfjsWorkerSettings["task"],
  { backends = tfjsBackends, modules = {}, sizes }: TfjsOptions,
): TfjsWorkerSettings {
  return { artifacts, task, backends, modules, sizes };
}

/** Has a worker thread look at the model. @throws EngineError `not-available`, `load-failed`, `crashed` */
function describeArtifacts(artifacts: TfjsArtifacts, options: TfjsOptions): Promise<TfjsDescription> {
  return new Promise((resolve, reject) => {
    const worker = new Worker(workerUrl, { workerData: settingsFor(artifacts, "describe", options) });
    worker.once("error", (cause) =>
      reject(new EngineError("crashed", `the worker thread of tfjs crashed: ${cause.message}`, { cause })),
    );
    worker.once("exit", (code) =>
      reject(new EngineError("crashed", `the worker thread of tfjs ended (code ${code})`)),
    );
    worker.once("message", (answer: TfjsDescribeReply) => {
      if (answer.kind === "described") {
        for (const line of answer.log) options.onLog?.(line);
        resolve(answer.description);
      } else {
        reject(new EngineError(answer.reason, describeRefusal(answer.reason, answer.message)));
      }
      void worker.terminate();
    });
  });
}

function infoOf({ name, type, shape }: RawInfo): TensorInfo {
  const dtype = dtypeOfRawType[type];
  if (dtype === undefined)
    throw new ModelError("unsupported", `value "${name}": type ${type} is not supported`);
  return describeTensor(name, dtype, shape, "hwc");
}

const openAxisAdvice = ": those of the input may be said behind the model's path";

/** What a value is, or why it cannot be sent. */
function sendableOf(name: string, type: TfjsValueType | undefined): TensorSpec | string {
  if (type?.obstacle !== undefined) return type.obstacle;
  const first = type?.shape?.[0];
  if (type?.shape == null || (typeof first !== "string" && first !== 1)) {
    return "its first axis is not the batch axis";
  }
  if (dtypeOfRawType[type.type] === undefined) return `elements of type ${type.type} cannot be sent`;
  const open = type.shape.findIndex((size, axis) => axis > 0 && typeof size !== "number");
  return open < 0
    ? withinLimits(specOf(infoOf(rawInfoOf(name, type))))
    : `the size of axis ${open} is open${openAxisAdvice}`;
}

function rawInfoOf(name: string, { type, shape }: TfjsValueType): RawInfo {
  return { name, type, shape: shape!.map((size, axis) => size ?? `axis ${axis}`) };
}

/** The network between a part's inputs and outputs. */
function createPart(
  artifacts: TfjsArtifacts,
  description: TfjsDescription,
  part: TfjsPart,
  options: TfjsOptions,
): Network {
  const inputNames = part.inputs.map(({ name }) => name);
  const graph: FlowGraph<TfjsNode> = {
    // What makes the part's input lies in the other half.
    nodes: description.nodes.filter(({ outputs }) => !outputs.some((name) => inputNames.includes(name))),
    inputs: inputNames,
    outputs: part.outputs.map(({ name }) => name),
    constants: description.constants,
  };
  const { types } = description;
  const isWhole = part.inputs === description.inputs && part.outputs === description.outputs;
  const given = new Map(part.inputs.map((input) => [input.name, input]));
  const sendable = (name: string) => {
    const input = given.get(name);
    return input ? withinLimits(specOf(infoOf(input))) : sendableOf(name, types.get(name));
  };
  // A GraphModel is fed by its nodes, with one value for each.
  const cannotCross = (names: readonly string[]) =>
    artifacts.format === "tfjs-graph" && new Set(names.map(nodeOfValue)).size < names.length
      ? "two outputs of one operation cross there, of which TensorFlow.js takes one"
      : undefined;
  const known = (): KnownGraph<TfjsNode> => ({
    flow: analyseFlow(graph),
    multiplyAdds: (node) => node.multiplyAdds,
    ...{ sendable, cannotCross },
  });

  return {
    format: artifacts.format,
    engine: "tfjs",
    byteLength: artifacts.byteLength,
    hash: isWhole ? artifacts.hash : undefined,
    inputs: part.inputs.map(infoOf),
    outputs: part.outputs.map(infoOf),
    // They come from a run already.
    measureOutputs: async () => part.outputs.map(infoOf),
    listCuts: async () => describeCuts(known()),
    listIllegalCuts: async () => describeIllegalCuts(known()),
    measureWork: async (cut) => workBefore(known(), cut),
    async split(tensorName) {
      const { values, inputs, head } = checkFlowCut(graph, tensorName);
      const obstacle = cannotCross([...values, ...inputs]);
      if (obstacle !== undefined) throw new ModelError("unsupported", `cut "${tensorName}": ${obstacle}`);
      const outputs = values.map((name) => {
        const spec = sendable(name);
        if (typeof spec === "string") throw new ModelError("unsupported", `cut "${name}": ${spec}`);
        return rawInfoOf(name, types.get(name)!);
      });
      const needed = part.inputs.filter(({ name }) => head.values.has(name));
      const entering = [...outputs, ...part.inputs.filter(({ name }) => inputs.includes(name))];
      const tail = createPart(artifacts, description, { inputs: entering, outputs: part.outputs }, options);
      return {
        ...{ cut: tail.inputs[0]!, crossing: tail.inputs, tail },
        head: createPart(artifacts, description, { inputs: needed, outputs }, options),
      };
    },
    async load(engineOptions: EngineOptions = {}): Promise<Engine> {
      const { maxPendingRuns } = checkOptions(engineOptions);
      const onLog = engineOptions.onLog ?? options.onLog;
      const session = await openSession({
        ...{ workerUrl, maxPendingRuns, describeRefusal },
        settings: settingsFor(artifacts, part, options),
        ...(onLog ? { onLog } : {}),
      });
      return createEngineOver(session, "hwc", { onLog });
    },
    async save() {
      throw new ModelError("unsupported", "only ONNX models are written, not those of TensorFlow.js");
    },
  };
}

/**
 * Opens a TensorFlow.js model, a LayersModel or a GraphModel, as a network. TensorFlow.js looks at it in a worker
 * thread, where zeros are run through it for what it does not declare.
 * @param path of its model.json
 * @throws ModelError `not-found`, `unreadable`, `too-large`, `not-tfjs`
 * @throws EngineError `not-available` where TensorFlow.js is not installed, `load-failed` where it refuses the model
 */
export async function openTfjsNetwork(path: string, options: TfjsOptions = {}): Promise<Network> {
  const artifacts = await readArtifacts(path);
  const description = await describeArtifacts(artifacts, options);
  return createPart(artifacts, description, description, options);
}
