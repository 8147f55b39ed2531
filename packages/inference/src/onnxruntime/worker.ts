/** The worker thread of an onnxruntime session: `session.run` blocks the thread that it is called on. */
import { workerData } from "node:worker_threads";
import type * as Ort from "onnxruntime-node";
import type { RawData, RawInfo, RawTensor } from "../worker-engine/messages.js";
import { messageOf, reply, serveRuns } from "../worker-engine/serve-runs.js";
import type { OnnxWorkerSettings } from "./worker-settings.js";

const settings = workerData as OnnxWorkerSettings;

function describe(values: readonly Ort.InferenceSession.ValueMetadata[]): RawInfo[] {
  return values.map((value) => {
    if (!value.isTensor) throw new Error(`value "${value.name}": is not a tensor`);
    return { name: value.name, type: value.type, shape: value.shape };
  });
}

/** The output's values in a buffer of their own, which can be given away: the runtime may keep its own one. */
function takeOutput(name: string, tensor: Ort.Tensor | undefined): RawTensor {
  if (tensor === undefined) throw new Error(`output "${name}": the runtime gave none`);
  const { data, dims, type } = tensor;
  if (Array.isArray(data)) throw new Error(`output "${name}": is of type ${type}, which cannot be sent`);
  if (type === "float16") {
    // Newer runtimes give a Float16Array; Sluice holds the bit patterns.
    return { type, dims, data: new Uint16Array(data.buffer, data.byteOffset, data.length).slice() };
  }
  return { type, dims, data: (data as RawData).slice() };
}

async function run(
  ort: typeof Ort,
  session: Ort.InferenceSession,
  inputs: Readonly<Record<string, RawTensor>>,
): Promise<RawTensor[]> {
  const feeds: Record<string, Ort.Tensor> = {};
  for (const [name, { type, data, dims }] of Object.entries(inputs)) {
    feeds[name] = new ort.Tensor(type as Ort.Tensor.Type, data, dims);
  }
  const results = await session.run(feeds);
  return session.outputNames.map((name) => takeOutput(name, results[name]));
}

async function start(): Promise<void> {
  let ort: typeof Ort;
  try {
    // CommonJS: the namespace is the default export.
    const loaded = (await import(settings.runtime)) as { readonly default?: typeof Ort } & typeof Ort;
    ort = loaded.default ?? loaded;
  } catch (error) {
    reply({ kind: "refused", reason: "not-available", message: messageOf(error) });
    return;
  }
  try {
    const session = await ort.InferenceSession.create(settings.model, {
      executionProviders: ["cpu"],
      graphOptimizationLevel: settings.graphOptimization,
      intraOpNumThreads: settings.threads,
      interOpNumThreads: 1,
      logSeverityLevel: 4,
    });
    const inputs = describe(session.inputMetadata);
    const outputs = describe(session.outputMetadata);
    serveRuns({ run: (feeds) => run(ort, session, feeds), release: () => session.release() });
    reply({ kind: "ready", inputs, outputs });
  } catch (error) {
    reply({ kind: "refused", reason: "load-failed", message: messageOf(error) });
  }
}

await start();
