/** The worker thread of a TensorFlow.js model. */
import { parentPort, workerData } from "node:worker_threads";
import type * as Tf from "@tensorflow/tfjs";
import { messageOf } from "../worker-engine/message-of.js";
import type { RawTensor } from "../worker-engine/messages.js";
import { reply, serveRuns } from "../worker-engine/serve-runs.js";
import { openGraph } from "./graph-in-memory.js";
import { openLayers } from "./layers-in-memory.js";
import type { TfjsDescribeReply, TfjsPart, TfjsWorkerSettings } from "./messages.js";
import { openBackend, type TensorFlow, type TfjsBackend } from "./open-backend.js";
import type { TfjsNetworkInMemory } from "./runnable.js";
import { canProbe, runZeros } from "./zeros.js";

const settings = workerData as TfjsWorkerSettings;

type RunPart = ReturnType<TfjsNetworkInMemory["take"]>;

function openNetwork(tf: TensorFlow): Promise<TfjsNetworkInMemory> {
  const { artifacts } = settings;
  return artifacts.format === "tfjs-graph" ? openGraph(tf, artifacts) : openLayers(tf, artifacts);
}

/** The values of a result in a buffer that can be given away. */
function takeOutput(tensor: Tf.Tensor): RawTensor {
  const data = tensor.dataSync();
  if (data instanceof Float32Array || data instanceof Int32Array || data instanceof Uint8Array) {
    return { type: tensor.dtype, dims: tensor.shape, data: data.slice() };
  }
  throw new Error(`a result is of type ${tensor.dtype}, which cannot be sent`);
}

async function runRaw(
  tf: TensorFlow,
  part: TfjsPart,
  run: RunPart,
  feeds: Readonly<Record<string, RawTensor>>,
): Promise<RawTensor[]> {
  const inputs = part.inputs.map(({ name }) => {
    const { data, dims, type } = feeds[name]!;
    return tf.tensor(data as Float32Array, [...dims], type as "float32");
  });
  let results: Tf.Tensor[] = [];
  try {
    results = await run(inputs);
    return results.map(takeOutput);
  } finally {
    tf.dispose([...inputs, ...results]);
  }
}

/** The first run allocates and shows whether the backend has all operations. */
async function warmUp(tf: TensorFlow, part: TfjsPart, run: RunPart): Promise<void> {
  if (canProbe(part.inputs))
    await runZeros(tf, part.inputs, 1, async (zeros) => tf.dispose(await run(zeros)));
}

/** What a backend that lacks an operation says. */
function lacksOperation(error: unknown): boolean {
  return (
    messageOf(error).includes("not registered for the backend") ||
    messageOf(error).includes("not registered for backend")
  );
}

async function startWith(tf: TensorFlow, backend: TfjsBackend, log: readonly string[]): Promise<void> {
  const network = await openNetwork(tf);
  if (settings.task === "describe") {
    const message: TfjsDescribeReply = {
      kind: "described",
      description: await network.describe(settings.sizes),
      log,
    };
    parentPort?.postMessage(message);
    return;
  }
  const part = settings.task;
  const run = network.take(part);
  await warmUp(tf, part, run);
  serveRuns({ run: (feeds) => runRaw(tf, part, run, feeds), async release() {} });
  reply({ kind: "ready", inputs: part.inputs, outputs: part.outputs, provider: backend, log });
}

async function start(): Promise<void> {
  const missing: string[] = [];
  for (const backend of settings.backends) {
    let tf: TensorFlow;
    try {
      tf = await openBackend(backend, settings.modules);
    } catch (error) {
      missing.push(messageOf(error));
      continue;
    }
    try {
      const found = `tfjs ${tf.version.tfjs}: backend ${backend}`;
      await startWith(tf, backend, [missing.length === 0 ? found : `${found} (${missing.join("; ")})`]);
      return;
    } catch (error) {
      if (!lacksOperation(error)) {
        reply({ kind: "refused", reason: "load-failed", message: messageOf(error) });
        return;
      }
      missing.push(`backend ${backend} lacks an operation of the model: ${messageOf(error)}`);
    }
  }
  reply({ kind: "refused", reason: "not-available", message: missing.join("; ") });
}

await start();
