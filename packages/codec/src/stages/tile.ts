import { TensorError, type TensorSpec } from "@sluice/tensor";
import { type BlockOrder, blockOrder } from "../block-order.js";
import { createScratch } from "../scratch.js";
import type { PlaneSize, Stage } from "../stage.js";
import type { StageDefinition } from "../stage-definition.js";
import { checkChoice } from "../stage-parameters.js";
import type { SliceExtent } from "../unit-order.js";

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
/** What a plane may have at most (spec 6.6): a decoder of pictures takes some memory for each sample. */
const maxPlaneSamples = 1 << 20;
const maxPlaneSide = 1 << 15;
/** What image codecs transform at once. */
const minPlaneSide = 8;

/**
 * Puts the units of a slice, channels or blocks of them, into one plane of 8-bit samples (spec 6.6): in columns from the
 * left, each filled from the top. What is left empty has the mean of the samples, and a decoder ignores it. Symbols are
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
    plan({ levels }, { spec }) {
      if (levels > maxTileLevels) {
        throw new TensorError(
          "codec.tile",
          `takes at most ${maxTileLevels} levels, it gets ${levels}; use quantize:levels=${maxTileLevels} or fewer`,
        );
      }
      const order = blockOrder(readAxes(spec, layout));
      const grid = createTileGrid(order, shape);
      const scratch = createScratch((length) => new Uint8Array(length));
      const sampleOf = Uint8Array.from({ length: levels }, (_, symbol) =>
        Math.round((symbol * 255) / (levels - 1)),
      );
      const symbolOf = Uint8Array.from({ length: 256 }, (_, sample) =>
        Math.round((sample * (levels - 1)) / 255),
      );
      return {
        output: { size: grid.size },
        maxUnits: grid.maxUnits,
        encode(symbols, extent) {
          const { width, height } = grid.size(extent);
          const plane = scratch(width * height);
          let sum = 0;
          for (let i = 0; i < symbols.length; i++) sum += sampleOf[symbols[i]!]!;
          plane.fill(Math.round(sum / symbols.length));
          grid.forEachRow(extent, width, (from, count, place) => {
            for (let i = 0; i < count; i++) plane[place + i] = sampleOf[symbols[from + i]!]!;
          });
          return plane;
        },
        decode(plane, symbols, extent) {
          grid.forEachRow(extent, grid.size(extent).width, (from, count, place) => {
            for (let i = 0; i < count; i++) symbols[from + i] = symbolOf[plane[place + i]!]!;
          });
          return undefined;
        },
      };
    },
  };
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

interface TileGrid {
  readonly maxUnits: number;
  size(extent: SliceExtent): PlaneSize;
  /** Calls `visit` for each row of each unit: symbols of the slice from `from`, and where they stand in the plane. */
  forEachRow(
    extent: SliceExtent,
    width: number,
    visit: (from: number, count: number, place: number) => void,
  ): void;
}

function createTileGrid(order: BlockOrder, shape: "square" | "wide"): TileGrid {
  const { blockRows, blockColumns, blocksDown, units } = order;

  /** Units in a column of the plane: whole columns of a channel's blocks, where there are enough. */
  function unitsDown(count: number): number {
    const wanted = shape === "wide" ? blocksDown : Math.floor(Math.sqrt((count * blockColumns) / blockRows));
    const down = Math.max(1, Math.min(count, wanted));
    return down < blocksDown ? down : down - (down % blocksDown);
  }

  function sizeOf({ first, end }: { first: number; end: number }): PlaneSize {
    const down = unitsDown(end - first);
    const columns = end - first === 1 ? order.blockSize(first).columns : blockColumns;
    const width = Math.max(minPlaneSide, Math.ceil((end - first) / down) * columns);
    let height = minPlaneSide;
    for (let from = first; from < end; from += down) {
      let rows = 0;
      for (let unit = from; unit < Math.min(end, from + down); unit++) rows += order.blockSize(unit).rows;
      height = Math.max(height, rows);
    }
    return { width, height };
  }

  /** So many whole blocks fit into a plane, wherever they begin. */
  function fits(count: number): boolean {
    const down = unitsDown(count);
    const width = Math.ceil(count / down) * blockColumns;
    const height = down * blockRows;
    return width <= maxPlaneSide && height <= maxPlaneSide && width * height <= maxPlaneSamples;
  }

  let maxUnits = Math.min(units, Math.floor(maxPlaneSamples / (blockRows * blockColumns)));
  while (!fits(maxUnits)) maxUnits = Math.floor((9 * maxUnits) / 10);

  return {
    maxUnits,
    size: ({ units: range }) => sizeOf(range),
    forEachRow({ units: { first, end } }, width, visit) {
      const down = unitsDown(end - first);
      let from = 0;
      let place = 0;
      for (let unit = first; unit < end; unit++) {
        const at = unit - first;
        if (at % down === 0) place = (at / down) * blockColumns;
        const { rows, columns } = order.blockSize(unit);
        for (let row = 0; row < rows; row++) {
          visit(from, columns, place);
          from += columns;
          place += width;
        }
      }
    },
  };
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
