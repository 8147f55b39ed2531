import { createTensor, isTensor, type OutputTensor, type Tensor } from "@sluice/tensor";
import { EngineError } from "../engine.js";

/**
 * An output as a tensor that can be sent: wider whole numbers as int32, float64 as the nearest float32.
 * @throws EngineError `run-failed` naming an output that is empty or has a number outside the range of int32
 */
export function narrowOutput(name: string, output: OutputTensor): Tensor {
  const { data, shape, layout } = output;
  if (shape.includes(0)) {
    throw new EngineError("run-failed", `output "${name}": is empty ([${shape.join(", ")}])`);
  }
  // With the limits of tensors.
  if (isTensor(output)) return createTensor(output.dtype, shape, output.data, layout);
  if (data instanceof Float64Array) return createTensor("float32", shape, Float32Array.from(data), layout);
  const result = new Int32Array(data.length);
  for (let i = 0; i < data.length; i++) {
    const value = Number(data[i]);
    if (value !== (value | 0)) {
      throw new EngineError("run-failed", `output "${name}": ${value} is outside the range of int32`);
    }
    result[i] = value;
  }
  return createTensor("int32", shape, result, layout);
}
