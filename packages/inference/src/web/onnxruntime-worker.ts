/** The worker of an engine in a page. Bundle it as a script of its own, or let the bundler find it by its URL. */
import type * as Ort from "onnxruntime-web";
import type { RawData, RawInfo, RawTensor } from "../worker-engine/messages.js";
import type { WebProvider, WebWorkerReply, WebWorkerRequest, WebWorkerSettings } from "./web-messages.js";

interface WorkerScope {
  readonly navigator?: { readonly gpu?: { requestAdapter(): Promise<unknown> } };
  postMessage(message: WebWorkerReply, transfer?: readonly ArrayBuffer[]): void;
  addEventListener(type: "message", listener: (event: { readonly data: WebWorkerRequest }) => void): void;
  close(): void;
}

const scope = globalThis as unknown as WorkerScope;

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

/** Each build of onnxruntime-web brings WebAssembly of its own: only the one that is used is loaded. */
const runtimes: Readonly<Record<WebProvider, () => Promise<typeof Ort>>> = {
  webgpu: () => import("onnxruntime-web/webgpu"),
  wasm: () => import("onnxruntime-web/wasm"),
};

interface Loaded {
  readonly ort: typeof Ort;
  readonly session: Ort.InferenceSession;
}

async function load(provider: WebProvider, settings: WebWorkerSettings): Promise<Loaded> {
  if (provider === "webgpu" && !(await scope.navigator?.gpu?.requestAdapter())) {
    throw new Error("there is no WebGPU adapter");
  }
  const ort = await runtimes[provider]();
  ort.env.logLevel = "error";
  ort.env.wasm.numThreads = settings.threads;
  if (settings.wasmFolder !== undefined) ort.env.wasm.wasmPaths = settings.wasmFolder;
  const session = await ort.InferenceSession.create(settings.model, {
    executionProviders: [provider],
    graphOptimizationLevel: settings.graphOptimization,
  });
  return { ort, session };
}

async function loadFirst(settings: WebWorkerSettings): Promise<Loaded | undefined> {
  const passedOver: string[] = [];
  for (const provider of settings.providers) {
    try {
      const loaded = await load(provider, settings);
      scope.postMessage({ kind: "provider", provider, passedOver });
      return loaded;
    } catch (error) {
      passedOver.push(`${provider}: ${messageOf(error)}`);
    }
  }
  scope.postMessage({ kind: "refused", reason: "load-failed", message: passedOver.join("; ") });
  return undefined;
}

function describe(values: readonly Ort.InferenceSession.ValueMetadata[]): RawInfo[] {
  return values.map((value) => {
    if (!value.isTensor) throw new Error(`value "${value.name}": is not a tensor`);
    return { name: value.name, type: value.type, shape: value.shape };
  });
}

async function run(
  { ort, session }: Loaded,
  inputs: Readonly<Record<string, RawTensor>>,
): Promise<RawTensor[]> {
  const feeds: Record<string, Ort.Tensor> = {};
  for (const [name, { type, data, dims }] of Object.entries(inputs)) {
    feeds[name] = new ort.Tensor(type as Ort.Tensor.Type, data, dims);
  }
  const results = await session.run(feeds);
  return Promise.all(
    session.outputNames.map(async (name) => {
      const tensor = results[name]!;
      const data = (await tensor.getData(true)) as RawData | string[];
      if (Array.isArray(data)) throw new Error(`output "${name}": is text, which cannot be sent`);
      return { type: tensor.type, dims: tensor.dims, data: data.slice() };
    }),
  );
}

async function start(settings: WebWorkerSettings): Promise<Loaded | undefined> {
  const loaded = await loadFirst(settings);
  if (loaded === undefined) return undefined;
  try {
    const { inputMetadata, outputMetadata } = loaded.session;
    scope.postMessage({ kind: "ready", inputs: describe(inputMetadata), outputs: describe(outputMetadata) });
    return loaded;
  } catch (error) {
    scope.postMessage({ kind: "refused", reason: "load-failed", message: messageOf(error) });
    return undefined;
  }
}

let last: Promise<Loaded | undefined> = Promise.resolve(undefined);

/** Answers requests one after another, in the order in which they come. */
scope.addEventListener("message", ({ data: request }) => {
  last = last.then(async (loaded) => {
    if (request.kind === "load") return start(request);
    if (request.kind === "close") {
      await loaded?.session.release();
      scope.close();
      return undefined;
    }
    try {
      if (loaded === undefined) throw new Error("no model is loaded");
      const outputs = await run(loaded, request.inputs);
      const transfer = new Set(outputs.map((output) => output.data.buffer as ArrayBuffer));
      scope.postMessage({ kind: "done", id: request.id, outputs }, [...transfer]);
    } catch (error) {
      scope.postMessage({ kind: "failed", id: request.id, message: messageOf(error) });
    }
    return loaded;
  });
});
