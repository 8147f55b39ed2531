import { type Symbols, TensorError, type TensorSpec, tensorKernels } from "@sluice/tensor";
import { blockOrder } from "../block-order.js";
import { createScratch } from "../scratch.js";
import type { Stage } from "../stage.js";
import type { StageDefinition } from "../stage-definition.js";
import { checkChoice } from "../stage-parameters.js";
import { createTileGrid } from "../tile-grid.js";

/** Parameters of the stage `tile`. */
export interface TileParameters {
  /** `square`: a plane about as wide as high. `wide`: channels side by side. Default `square`. */
  readonly shape?: "square" | "wide";
  /** How the axes are read; `auto`: as the tensor says. It must not contradict the tensor. Default `auto`. */
  readonly layout?: "auto" | "chw" | "hwc";
}

const name = "tile";
const shapes = ["square", "wide"] as const;
const planeLayouts = ["auto", "chw", "hwc"] as const;
/** Samples have 8 bits. */
const maxTileLevels = 256;
/**
 * Puts the units of a slice, channels or blocks of them, into one plane of 8-bit samples (spec 6.6): in columns from the
 * left, each filled from the top. What is left empty has about the mean of the samples, and a decoder ignores it. Symbols are
 * stretched over 0 to 255, and what is decoded goes to the nearest symbol.
 * @param parameters or a layout alone: `tile("hwc")`
 */
export function tile(parameters: TileParameters | "chw" | "hwc" = {}): Stage<"symbols", "plane"> {
  const { shape = "square", layout = "auto" } =
    typeof parameters === "string" ? { layout: parameters } : parameters;
  checkChoice(name, "shape", shape, shapes);
  checkChoice(name, "layout", layout, planeLayouts);
  return {
    ...{ name, text: `${name}:shape=${shape},layout=${layout}`, input: "symbols", output: "plane" },
    unitOrder: (spec) => blockOrder(readAxes(spec, layout)),
    plan({ levels, isExact, blockLength }, { spec }) {
      if (blockLength !== undefined) {
        throw new TensorError("codec.tile", "makes pictures of elements; behind transform end with entropy");
      }
      if (isExact) {
        throw new TensorError(
          "codec.tile",
          "changes symbols that predict must get back as they are; end the chain with entropy",
        );
      }
      if (levels > maxTileLevels) {
        throw new TensorError(
          "codec.tile",
          `takes at most ${maxTileLevels} levels, it gets ${levels}; use quantize:levels=${maxTileLevels} or fewer`,
        );
      }
      const order = blockOrder(readAxes(spec, layout));
      const grid = createTileGrid(order, shape);
      const planes = createScratch((length) => new Uint8Array(length));
      const samplesOf = createScratch((length) => new Uint8Array(length));
      const isByte = levels === maxTileLevels;
      const sampleOf = isByte ? undefined : stretch(levels, levels - 1, 255);
      const symbolOf = isByte ? undefined : stretch(256, 255, levels - 1);
      return {
        output: { size: grid.size },
        maxUnits: grid.maxUnits,
        encode(symbols, extent) {
          const { width, height } = grid.size(extent);
          const plane = planes(width * height);
          const isFull = plane.length === symbols.length;
          const samples = lookUp(sampleOf, symbols, samplesOf(symbols.length));
          grid.arrange(samples, extent, isFull ? 0 : meanOf(samples), plane);
          return plane;
        },
        decode(plane, symbols, extent) {
          const samples = samplesOf(symbols.length);
          grid.collect(plane, extent, samples);
          lookUp(symbolOf, samples, symbols);
          return undefined;
        },
      };
    },
  };
}

/** Replaces each number by what the table has for it; without a table they are the same. */
function lookUp<T extends Symbols>(table: Uint8Array | undefined, from: Symbols, to: T): T {
  if (table) tensorKernels().lookUp(table, from, to);
  else to.set(from);
  return to;
}

/** What 0, 1, ... of a scale from 0 to `from` is on one from 0 to `to`. */
function stretch(length: number, from: number, to: number): Uint8Array {
  return Uint8Array.from({ length }, (_, value) => Math.round((value * to) / from));
}

/** About the mean: of a thousand samples or so. */
function meanOf(samples: Uint8Array): number {
  const stride = Math.ceil(samples.length / 1024);
  let sum = 0;
  let count = 0;
  for (let i = 0; i < samples.length; i += stride, count++) sum += samples[i]!;
  return Math.round(sum / count);
}

/** @throws TensorError where the layout asked for is not the tensor's */
function readAxes(
  { shape, layout: own }: TensorSpec,
  layout: "auto" | "chw" | "hwc",
): Pick<TensorSpec, "shape" | "layout"> {
  if (layout === "auto" || layout === own) return { shape, layout: own };
  if (own !== "any") {
    throw new TensorError("codec.tile.layout", `${layout}, the tensor is ${own}; use layout=auto`);
  }
  if (shape.length !== 3) {
    throw new TensorError("codec.tile.layout", `${layout} needs three axes, the shape has ${shape.length}`);
  }
  return { shape, layout };
}

export const tileDefinition: StageDefinition = {
  name,
  parameters: ["shape", "layout"],
  read: (values) =>
    tile({
      shape: values.choice("shape", shapes, "square"),
      layout: values.choice("layout", planeLayouts, "auto"),
    }),
};
