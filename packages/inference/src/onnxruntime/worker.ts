/** The worker thread of an onnxruntime session: `session.run` blocks the thread that it is called on. */
import { threadId, workerData } from "node:worker_threads";
import type * as Ort from "onnxruntime-node";
import { messageOf } from "../worker-engine/message-of.js";
import type { RawTensor } from "../worker-engine/messages.js";
import { describeValues, feedsOf, takeOutput } from "../worker-engine/onnxruntime-values.js";
import { reply, serveRuns } from "../worker-engine/serve-runs.js";
import { openWithProvider, type ProvidedSession, ProviderError } from "./open-with-provider.js";
import { openThreadLock } from "./thread-lock.js";
import type { OnnxWorkerSettings } from "./worker-settings.js";

const settings = workerData as OnnxWorkerSettings;

/** @param names of the outputs that are wanted */
async function run(
  ort: typeof Ort,
  network: ProvidedSession,
  inputs: Readonly<Record<string, RawTensor>>,
  names: readonly string[],
): Promise<RawTensor[]> {
  const results = await network.run(feedsOf(ort, inputs), names);
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
    const network = await openWithProvider(ort, settings, openThreadLock(settings.lock, threadId));
    const { session, provider, log } = network;
    const inputs = describeValues(session.inputMetadata);
    const outputs = describeValues(
      session.outputMetadata.filter(({ isTensor }) => isTensor || !settings.shapesOnly),
    );
    const names = outputs.map(({ name }) => name);
    serveRuns({ run: (feeds) => run(ort, network, feeds, names), release: network.release });
    reply({ kind: "ready", inputs, outputs, provider, log });
  } catch (error) {
    const reason = error instanceof ProviderError ? "no-provider" : "load-failed";
    reply({ kind: "refused", reason, message: messageOf(error) });
  }
}

await start();
