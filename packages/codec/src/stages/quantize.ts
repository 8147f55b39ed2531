import {
  type CutStatistics,
  momentsOf,
  readFloat32,
  TensorError,
  type TensorSpec,
  tensorKernels,
  writeFloat32,
} from "@sluice/tensor";
import { createScratch, createSymbolScratch } from "../scratch.js";
import type { Stage } from "../stage.js";
import type { StageDefinition } from "../stage-definition.js";
import { checkChoice, checkNumber, formatNumber } from "../stage-parameters.js";
import {
  createQuantizer,
  dequantize,
  holdRange,
  isSane,
  meetZero,
  type Quantizer,
  quantize as quantizeValues,
  setChannel,
  setChannels,
} from "./quantizer.js";
import { maxLevels, minLevels } from "./symbol-packing.js";

/** Parameters of the stage `quantize`. */
export interface QuantizeParameters {
  /** Values that an element can take, 2 to 65,536. Default 32. */
  readonly levels?: number;
  /** Half the width of the range in standard deviations, 0.5 to 100. Default 6. */
  readonly clip?: number;
  /** `tensor`: one range, measured on each tensor. `channel`: a range for each channel, from the statistics. */
  readonly per?: "tensor" | "channel";
}

const name = "quantize";
const ranges = { levels: [minLevels, maxLevels, 32], clip: [0.5, 100, 6] } as const;
const pers = ["tensor", "channel"] as const;

/** With `per=tensor` every payload begins with the lowest level and the step, float32 little-endian. */
const parameterBytes = 8;

/**
 * Uniform quantization (spec 6.2), after Ulhaq & Bajic, "Shared mobile-cloud inference for collaborative intelligence"
 * (there with 7 levels within 3 sigma). Elements of another dtype go through float32.
 * @throws TensorError for a parameter out of range; when planned, for per=channel without statistics, or with statistics
 *   of another shape
 */
export function quantize(parameters: QuantizeParameters = {}): Stage<"tensor", "symbols"> {
  const { levels = ranges.levels[2], clip = ranges.clip[2], per = "tensor" } = parameters;
  checkNumber(name, "levels", levels, ranges.levels[0], ranges.levels[1], true);
  checkNumber(name, "clip", clip, ranges.clip[0], ranges.clip[1], false);
  checkChoice(name, "per", per, pers);
  const clipText = formatNumber(clip);
  const deviations = Number(clipText);
  return {
    ...{
      name,
      text: `${name}:levels=${levels},clip=${clipText},per=${per}`,
      input: "tensor",
      output: "symbols",
    },
    plan({ dtype, blockLength }, { spec, axis, statistics, looksBack }) {
      if (blockLength !== undefined && per === "channel") {
        throw new TensorError(
          "codec.quantize.per",
          "channel is for elements; behind transform use per=tensor",
        );
      }
      const quantizer = createQuantizer(levels, per === "channel" ? axis : { channels: 1, stride: 2 ** 24 });
      if (per === "channel") setChannels(quantizer, checkStatistics(spec, statistics), deviations);
      const symbolScratch = createSymbolScratch(levels);
      let held: { low: number; step: number } | undefined;
      const valueScratch = createScratch((length) => new Float32Array(length));
      const scratchFor = (count: number) => (dtype === "float32" ? valueScratch(0) : valueScratch(count));
      return {
        output: { levels, ...(blockLength === undefined ? {} : { blockLength }) },
        sideBytes: per === "tensor" ? parameterBytes : 0,
        measure(tensor) {
          if (per === "channel") return undefined;
          const { length } = tensor.data;
          const moments = momentsOf(readFloat32(tensor, 0, length, scratchFor(length)));
          setChannel(quantizer, 0, moments, deviations);
          const isHeld = held !== undefined && holdRange(quantizer, held, moments.mean);
          if (blockLength !== undefined && !isHeld) meetZero(quantizer);
          if (looksBack) held = { low: quantizer.low[0]!, step: quantizer.step[0]! };
          return undefined;
        },
        encode(tensor, { elements: { first, end } }, side) {
          if (per === "tensor") {
            const view = new DataView(side.buffer, side.byteOffset, parameterBytes);
            view.setFloat32(0, quantizer.low[0]!, true);
            view.setFloat32(4, quantizer.step[0]!, true);
          }
          const symbols = symbolScratch(end - first);
          quantizeValues(quantizer, readFloat32(tensor, first, end, scratchFor(end - first)), first, symbols);
          return symbols;
        },
        decode(symbols, tensor, { elements: { first, end } }, side) {
          if (per === "tensor" && !readParameters(quantizer, side)) return "parameter";
          if (tensor.data instanceof Float32Array) {
            dequantize(quantizer, symbols, first, tensor.data.subarray(first, end));
          } else {
            const values = valueScratch(end - first);
            dequantize(quantizer, symbols, first, values);
            writeFloat32(tensor, first, values);
          }
          return undefined;
        },
        ...(dtype === "float32" && {
          decodePacked(payload, bits, tensor, { elements: { first, end } }) {
            if (per === "tensor" && !readParameters(quantizer, payload)) return "parameter";
            const offset = per === "tensor" ? parameterBytes : 0;
            const values = tensor.data as Float32Array;
            tensorKernels().unpackValues(quantizer, payload, offset, bits, values, first, end);
            return undefined;
          },
        }),
      };
    },
  };
}

const parameterView = new DataView(new ArrayBuffer(parameterBytes));

/** Takes the lowest level and the step from the first bytes; whether they can be. Copied, for a view of each slice costs more. */
function readParameters(quantizer: Quantizer, bytes: Uint8Array): boolean {
  for (let i = 0; i < parameterBytes; i++) parameterView.setUint8(i, bytes[i]!);
  quantizer.low[0] = parameterView.getFloat32(0, true);
  quantizer.step[0] = parameterView.getFloat32(4, true);
  return isSane(quantizer, 0);
}

function checkStatistics(spec: TensorSpec, statistics: CutStatistics | undefined): CutStatistics {
  if (statistics === undefined) {
    throw new TensorError("statistics", "quantize with per=channel needs the statistics of the cut");
  }
  if (statistics.shape.join() !== spec.shape.join()) {
    throw new TensorError(
      "statistics.shape",
      `[${statistics.shape.join(", ")}], the tensor is [${spec.shape.join(", ")}]`,
    );
  }
  return statistics;
}

export const quantizeDefinition: StageDefinition = {
  name,
  parameters: ["levels", "clip", "per"],
  read: (values) =>
    quantize({
      levels: values.integer("levels", ...ranges.levels),
      clip: values.number("clip", ...ranges.clip),
      per: values.choice("per", pers, "tensor"),
    }),
};
