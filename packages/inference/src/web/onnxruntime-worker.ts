/** The worker of an engine in a page. Bundle it as a script of its own, or let the bundler find it by its URL. */
import type * as Ort from "onnxruntime-web";
import { messageOf } from "../worker-engine/message-of.js";
import type { RawTensor } from "../worker-engine/messages.js";
import { describeValues, feedsOf, takeOutput } from "../worker-engine/onnxruntime-values.js";
import type { WebProvider, WebWorkerReply, WebWorkerRequest, WebWorkerSettings } from "./web-messages.js";

interface WorkerScope {
  readonly navigator?: { readonly gpu?: { requestAdapter(): Promise<unknown> } };
  postMessage(message: WebWorkerReply, transfer?: readonly ArrayBuffer[]): void;
  addEventListener(type: "message", listener: (event: { readonly data: WebWorkerRequest }) => void): void;
  close(): void;
}

const scope = globalThis as unknown as WorkerScope;

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

async function run(
  { ort, session }: Loaded,
  inputs: Readonly<Record<string, RawTensor>>,
): Promise<RawTensor[]> {
  const results = await session.run(feedsOf(ort, inputs));
  return Promise.all(
    session.outputNames.map(async (name) => {
      const tensor = results[name]!;
      return takeOutput(name, { type: tensor.type, dims: tensor.dims, data: await tensor.getData(true) });
    }),
  );
}

async function start(settings: WebWorkerSettings): Promise<Loaded | undefined> {
  const loaded = await loadFirst(settings);
  if (loaded === undefined) return undefined;
  try {
    const { inputMetadata, outputMetadata } = loaded.session;
    scope.postMessage({
      kind: "ready",
      inputs: describeValues(inputMetadata),
      outputs: describeValues(outputMetadata),
    });
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
