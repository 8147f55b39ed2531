import type { Engine } from "../engine.js";
import { createEngineOver } from "../worker-engine/engine-over-session.js";
import { type OnnxruntimeOptions, openOnnxSession } from "./open-onnx-session.js";

/**
 * Loads an ONNX model into onnxruntime (onnxruntime-node, on the CPU) in a worker thread of its own.
 * @throws EngineError `not-available` where onnxruntime does not load, `load-failed` where it refuses the model
 */
export async function loadOnnxruntime(model: Uint8Array, options: OnnxruntimeOptions = {}): Promise<Engine> {
  return createEngineOver(await openOnnxSession(model, options), "chw", { onLog: options.onLog });
}
