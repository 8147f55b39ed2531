import {
  type CutStatistics,
  channelAxis,
  elementCount,
  momentsOf,
  readFloat32,
  TensorError,
  type TensorSpec,
  writeFloat32,
} from "@sluice/tensor";
import type { ElementCoding } from "./element-coding.js";
import { createQuantizer, dequantize, isSane, quantize, setChannel, setChannels } from "./quantizer.js";
import { createSymbolPacking, packedBytes, packSymbols, unpackSymbols } from "./symbol-packing.js";

/** Parameters of the stage `quantize`. */
export interface QuantizeParameters {
  /** Values that an element can take, 2 to 65,536. */
  readonly levels: number;
  /** Half the width of the range in standard deviations, 0.5 to 100. */
  readonly clip: number;
  /** `tensor`: one range, measured on each tensor. `channel`: a range for each channel, from the statistics. */
  readonly per: "tensor" | "channel";
}

/** With `per=tensor` every payload begins with the lowest level and the step, float32 little-endian. */
const parameterBytes = 8;

/** A buffer that grows to the longest slice seen and never beyond the tensor's elements. */
function createScratch<T extends Float32Array | Uint16Array>(
  make: (length: number) => T,
): (length: number) => T {
  let buffer = make(0);
  return (length) => {
    if (buffer.length < length) buffer = make(length);
    return buffer;
  };
}

/**
 * Uniform quantization and dense packing (spec 6.2), after Ulhaq & Bajic, "Shared mobile-cloud inference for
 * collaborative intelligence" (there with 7 levels within 3 sigma). Elements of another dtype go through float32.
 * @throws TensorError for per=channel without statistics, or with statistics of another shape.
 */
export function createQuantizeCoding(
  spec: TensorSpec,
  { levels, clip, per }: QuantizeParameters,
  statistics?: CutStatistics,
): ElementCoding {
  const elements = elementCount(spec.shape);
  const packing = createSymbolPacking(levels);
  const axis = per === "channel" ? channelAxis(spec.shape, spec.layout) : { channels: 1, stride: elements };
  const quantizer = createQuantizer(levels, axis);
  if (per === "channel") {
    if (statistics === undefined) {
      throw new TensorError("statistics", "quantize with per=channel needs the statistics of the cut");
    }
    if (statistics.shape.join() !== spec.shape.join()) {
      throw new TensorError(
        "statistics.shape",
        `[${statistics.shape.join(", ")}], the tensor is [${spec.shape.join(", ")}]`,
      );
    }
    setChannels(quantizer, statistics, clip);
  }
  const header = per === "tensor" ? parameterBytes : 0;
  const symbolScratch = createScratch((length) => new Uint16Array(length));
  const valueScratch = createScratch((length) => new Float32Array(length));
  const scratchFor = (count: number) => (spec.dtype === "float32" ? valueScratch(0) : valueScratch(count));

  return {
    payloadBytes: (count) => header + packedBytes(packing, count),
    measure(tensor) {
      if (per === "tensor") {
        setChannel(quantizer, 0, momentsOf(readFloat32(tensor, 0, elements, scratchFor(elements))), clip);
      }
    },
    encode(tensor, first, end, payload) {
      const symbols = symbolScratch(end - first);
      quantize(quantizer, readFloat32(tensor, first, end, scratchFor(end - first)), first, symbols);
      if (per === "tensor") {
        const view = new DataView(payload.buffer, payload.byteOffset, parameterBytes);
        view.setFloat32(0, quantizer.low[0]!, true);
        view.setFloat32(4, quantizer.step[0]!, true);
      }
      packSymbols(packing, symbols, end - first, payload, header);
    },
    decode(payload, tensor, first, end) {
      if (per === "tensor") {
        const view = new DataView(payload.buffer, payload.byteOffset, parameterBytes);
        quantizer.low[0] = view.getFloat32(0, true);
        quantizer.step[0] = view.getFloat32(4, true);
        if (!isSane(quantizer, 0)) return "parameter";
      }
      const symbols = symbolScratch(end - first);
      unpackSymbols(packing, payload, header, symbols, end - first);
      if (tensor.data instanceof Float32Array) {
        dequantize(quantizer, symbols, first, tensor.data.subarray(first, end));
      } else {
        const values = valueScratch(end - first).subarray(0, end - first);
        dequantize(quantizer, symbols, first, values);
        writeFloat32(tensor, first, values);
      }
      return undefined;
    },
  };
}
