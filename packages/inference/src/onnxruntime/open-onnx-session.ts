import { EngineError } from "../engine.js";
import type { EngineOptions } from "../network.js";
import { checkOptions } from "../worker-engine/engine-options.js";
import type { RefusalReason } from "../worker-engine/messages.js";
import { openSession, type WorkerSession } from "../worker-engine/session.js";
import { providerChoices } from "./providers.js";
import { createLockMemory, releaseThreadLock } from "./thread-lock.js";
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

/** One for the process, as is the device behind it. */
const lock = createLockMemory();

/**
 * Loads an ONNX model into onnxruntime in a worker thread.
 * @throws EngineError `not-available` where onnxruntime does not load or a provider cannot be had, `load-failed` where it
 *   refuses the model, `bad-input` naming an option
 */
export async function openOnnxSession(
  model: Uint8Array,
  options: OnnxruntimeOptions = {},
): Promise<WorkerSession> {
  forbidTelemetry();
  const { threads, maxPendingRuns } = checkOptions(options);
  const { runtime = "onnxruntime-node", provider = "cpu", onLog } = options;
  if (!providerChoices.includes(provider)) {
    throw new EngineError("bad-input", `provider: must be one of ${providerChoices.join(", ")}`);
  }
  const settings: OnnxWorkerSettings = {
    ...{ model, runtime, provider, lock, threads },
    graphOptimization: options.graphOptimization ?? "all",
    shapesOnly: options.shapesOnly ?? false,
    batches: checkBatches(options.batches ?? [1]),
  };
  return openSession({
    workerUrl: options.workerUrl ?? new URL("./worker.js", import.meta.url),
    ...{ settings, maxPendingRuns },
    describeRefusal: (reason, message) => describeRefusal(reason, message, runtime),
    onExit: (threadId) => releaseThreadLock(lock, threadId),
    // Nobody who asked for nothing else wants to be told that it is the processor.
    ...(onLog && options.provider !== undefined ? { onLog } : {}),
  });
}

/** Without the place in onnxruntime's own source, which tells users nothing. */
function withoutPlace(message: string): string {
  return message.replace(/^\S*onnxruntime_src\S* .*?\) (?=[A-Z])/, "");
}

function checkBatches(batches: readonly number[]): readonly number[] {
  const isValid = batches.length > 0 && batches.every((size) => Number.isInteger(size) && size >= 1);
  if (isValid) return batches;
  throw new EngineError("bad-input", `batches: must be integers from 1 on, got [${batches.join(", ")}]`);
}

function describeRefusal(reason: RefusalReason, message: string, runtime: string): string {
  if (reason === "load-failed") return `onnxruntime does not take the model: ${withoutPlace(message)}`;
  if (reason === "no-provider") return message;
  return (
    `${runtime} does not load on ${process.platform}-${process.arch} (${message}); ` +
    "its CPU library ships inside the npm package for linux, mac and windows, x64 (not mac) and arm64"
  );
}

/**
 * From 1.30 on onnxruntime keeps an identifier of the machine below the home folder and sends its maker figures about its use,
 * unless this is set when it is loaded. Its own thread would be too late: native code sees the main thread's environment.
 */
function forbidTelemetry(): void {
  process.env.ORT_DISABLE_TELEMETRY ??= "1";
}
