/** The worker thread of an onnxruntime session: `session.run` blocks the thread that it is called on. */
import { workerData } from "node:worker_threads";
import type * as Ort from "onnxruntime-node";
import { messageOf } from "../worker-engine/message-of.js";
import type { RawTensor } from "../worker-engine/messages.js";
import { describeValues, feedsOf, takeOutput } from "../worker-engine/onnxruntime-values.js";
import { reply, serveRuns } from "../worker-engine/serve-runs.js";
import type { OnnxWorkerSettings } from "./worker-settings.js";

const settings = workerData as OnnxWorkerSettings;

/** @param names of the outputs that are wanted */
async function run(
  ort: typeof Ort,
  session: Ort.InferenceSession,
  inputs: Readonly<Record<string, RawTensor>>,
  names: readonly string[],
): Promise<RawTensor[]> {
  const results = await session.run(feedsOf(ort, inputs), names);
  if (!settings.shapesOnly) return names.map((name) => takeOutput(name, results[name]));
  return names.map((name) => ({ ...typeOf(results[name]!), data: new Uint8Array() }));
}

const typeOf = ({ type, dims }: Ort.Tensor) => ({ type, dims });

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
    const inputs = describeValues(session.inputMetadata);
    const outputs = describeValues(
      session.outputMetadata.filter(({ isTensor }) => isTensor || !settings.shapesOnly),
    );
    const names = outputs.map(({ name }) => name);
    serveRuns({ run: (feeds) => run(ort, session, feeds, names), release: () => session.release() });
    reply({ kind: "ready", inputs, outputs });
  } catch (error) {
    reply({ kind: "refused", reason: "load-failed", message: messageOf(error) });
  }
}

await start();
