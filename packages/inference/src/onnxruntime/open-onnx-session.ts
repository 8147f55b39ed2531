import type { EngineOptions } from "../network.js";
import { checkOptions } from "../worker-engine/engine-options.js";
import { openSession, type WorkerSession } from "../worker-engine/session.js";
import type { OnnxWorkerSettings } from "./worker-settings.js";

/** How onnxruntime runs a model. */
export interface OnnxruntimeOptions extends EngineOptions {
  /** The module that holds onnxruntime; by default `onnxruntime-node`. */
  readonly runtime?: string;
  /** The script of the worker thread, for bundles that move it. */
  readonly workerUrl?: URL;
  /** Runs tell only what their outputs are, not their values; outputs that are no tensors are left out. */
  readonly shapesOnly?: boolean;
}

/**
 * Loads an ONNX model into onnxruntime in a worker thread.
 * @throws EngineError `not-available` where onnxruntime does not load, `load-failed` where it refuses the model
 */
export async function openOnnxSession(
  model: Uint8Array,
  options: OnnxruntimeOptions = {},
): Promise<WorkerSession> {
  forbidTelemetry();
  const { threads, maxPendingRuns } = checkOptions(options);
  const runtime = options.runtime ?? "onnxruntime-node";
  const settings: OnnxWorkerSettings = {
    ...{ model, runtime, threads },
    graphOptimization: options.graphOptimization ?? "all",
    shapesOnly: options.shapesOnly ?? false,
  };
  return openSession({
    workerUrl: options.workerUrl ?? new URL("./worker.js", import.meta.url),
    ...{ settings, maxPendingRuns },
    describeRefusal: (reason, message) =>
      reason === "load-failed"
        ? `onnxruntime does not take the model: ${message}`
        : `${runtime} does not load on ${process.platform}-${process.arch} (${message}); ` +
          "its CPU library ships inside the npm package for linux, mac and windows, x64 (not mac) and arm64",
    ...(options.onLog ? { onLog: options.onLog } : {}),
  });
}

/**
 * From 1.30 on onnxruntime keeps an identifier of the machine below the home folder and sends its maker figures about its use,
 * unless this is set when it is loaded. Its own thread would be too late: native code sees the main thread's environment.
 */
function forbidTelemetry(): void {
  process.env.ORT_DISABLE_TELEMETRY ??= "1";
}
