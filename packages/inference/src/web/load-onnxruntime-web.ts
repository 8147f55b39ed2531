import { type Engine, EngineError } from "../engine.js";
import { createEngineOver } from "../worker-engine/engine-over-session.js";
import { kindOfRefusal } from "../worker-engine/messages.js";
import { createPendingRuns } from "../worker-engine/pending-runs.js";
import type { WebProvider, WebWorkerReply } from "./web-messages.js";
import type { WebWorker } from "./web-worker.js";

/** How onnxruntime-web runs a model. */
export interface OnnxruntimeWebOptions {
  /**
   * Where it computes, in the order in which they are tried. Default: `webgpu`, else `wasm`. For small networks `wasm` alone
   * is the faster choice.
   */
  readonly providers?: readonly WebProvider[];
  /** Folder that holds the `ort-wasm-*` files of onnxruntime-web, with a slash at its end. Default: beside its script. */
  readonly wasmFolder?: string;
  /** Makes the worker, where a bundler does not find `onnxruntime-worker.js` by its URL: of that script, as a module. */
  readonly createWorker?: () => WebWorker;
  /** Threads of `wasm`; more than 1 need a page that is isolated (COOP, COEP). Default 1. */
  readonly threads?: number;
  /** `all` (by default) is fastest; `disabled` computes node by node, so that halves equal the whole bit by bit. */
  readonly graphOptimization?: "all" | "disabled";
  /** The most runs that may wait or be under way; more are refused with `queue-full`. Default 64. */
  readonly maxPendingRuns?: number;
  /** Told of what computes, and why others do not. */
  readonly onProvider?: (provider: WebProvider, passedOver: readonly string[]) => void;
}

const defaultProviders: readonly WebProvider[] = ["webgpu", "wasm"];

interface WorkerHost {
  readonly Worker?: new (url: URL, options: { readonly type: "module" }) => WebWorker;
}

function createDefaultWorker(): WebWorker {
  const { Worker } = globalThis as unknown as WorkerHost;
  if (Worker === undefined) throw new EngineError("not-available", "there are no workers here");
  return new Worker(new URL("./onnxruntime-worker.js", import.meta.url), { type: "module" });
}

/**
 * Loads an ONNX model into onnxruntime-web, in a worker of its own. The package `onnxruntime-web` is an optional peer.
 * @throws EngineError `not-available` without workers, `load-failed` where no provider takes the model, `crashed`
 */
export function loadOnnxruntimeWeb(model: Uint8Array, options: OnnxruntimeWebOptions = {}): Promise<Engine> {
  const { providers = defaultProviders, threads = 1, maxPendingRuns = 64 } = options;
  return new Promise((resolve, reject) => {
    const worker = (options.createWorker ?? createDefaultWorker)();
    const runs = createPendingRuns(maxPendingRuns, (request, transfer) =>
      worker.postMessage(request, [...transfer]),
    );
    const fail = (error: EngineError) => {
      worker.terminate();
      runs.end(error);
      reject(error);
    };
    worker.addEventListener("error", ({ message = "no reason is given" }) => {
      fail(new EngineError("crashed", `the worker of the engine crashed: ${message}`));
    });
    worker.addEventListener("message", ({ data: reply }: { readonly data: WebWorkerReply }) => {
      if (reply.kind === "provider") options.onProvider?.(reply.provider, reply.passedOver);
      else if (reply.kind === "refused")
        fail(new EngineError(kindOfRefusal(reply.reason), `onnxruntime-web: ${reply.message}`));
      else if (reply.kind !== "ready") runs.handle(reply);
      else {
        const session = {
          ...{ inputs: reply.inputs, outputs: reply.outputs, run: runs.run },
          ...{ buffers: runs.buffers, counters: runs.counters },
          async close() {
            if (!runs.hasEnded) worker.postMessage({ kind: "close" }, []);
            runs.end(new EngineError("closed", "the engine was closed"));
          },
        };
        createEngineOver(session, "chw").then(resolve, fail);
      }
    });
    worker.postMessage(
      {
        ...{ kind: "load", model, providers, threads, wasmFolder: options.wasmFolder },
        graphOptimization: options.graphOptimization ?? "all",
      },
      [],
    );
  });
}
