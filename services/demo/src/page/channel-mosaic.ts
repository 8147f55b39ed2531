/** Draws the channels of a tensor side by side, those with the same number in the same place on every canvas. */
import { colour } from "./theme.js";

export type MosaicKind = "sent" | "received" | "concealed";

export interface Mosaic {
  /** @param missing 1 where an element did not arrive */
  draw(values: Uint8Array, shape: readonly number[], missing: Uint8Array): void;
}

type Colour = readonly [red: number, green: number, blue: number];

/** Perceptually even, dark to light, and to be told apart by everybody: points of the map "cividis". */
const ramp: readonly Colour[] = [
  [0, 34, 78],
  [47, 66, 108],
  [98, 99, 113],
  [141, 135, 120],
  [190, 173, 108],
  [236, 214, 74],
  [254, 232, 56],
];

const table = Uint8Array.from({ length: 256 * 3 }, (_, i) => {
  const position = (Math.floor(i / 3) / 255) * (ramp.length - 1);
  const low = Math.min(ramp.length - 2, Math.floor(position));
  const share = position - low;
  return ramp[low]![i % 3]! * (1 - share) + ramp[low + 1]![i % 3]! * share;
});

function parseColour(text: string): Colour {
  const digits = /^#([0-9a-f]{6})$/i.exec(text)?.[1] ?? "808080";
  return [0, 2, 4].map((at) => Number.parseInt(digits.slice(at, at + 2), 16)) as unknown as Colour;
}

interface Grid {
  readonly channels: number;
  readonly height: number;
  readonly width: number;
  readonly columns: number;
  readonly rows: number;
}

/** Tensors without planes are shown as one. */
function planGrid(shape: readonly number[]): Grid {
  const count = shape.reduce((product, size) => product * size, 1);
  const side = Math.ceil(Math.sqrt(count));
  const [channels = 1, height = 1, width = 1] = shape.length === 3 ? shape : [1, side, side];
  const columns = Math.ceil(Math.sqrt((channels * height) / width));
  return { channels, height, width, columns, rows: Math.ceil(channels / columns) };
}

/** Between two channels. */
const gap = 1;

export function createMosaic(canvas: HTMLCanvasElement, kind: MosaicKind): Mosaic {
  const context = canvas.getContext("2d")!;
  return {
    draw(values, shape, missing) {
      const { channels, height, width, columns, rows } = planGrid(shape);
      const imageWidth = columns * (width + gap) - gap;
      const imageHeight = rows * (height + gap) - gap;
      if (canvas.width !== imageWidth || canvas.height !== imageHeight) {
        canvas.width = imageWidth;
        canvas.height = imageHeight;
      }
      const image = context.createImageData(imageWidth, imageHeight);
      const lost = parseColour(colour("lost"));
      const { data } = image;
      for (let channel = 0; channel < channels; channel++) {
        const left = (channel % columns) * (width + gap);
        const top = Math.floor(channel / columns) * (height + gap);
        for (let y = 0; y < height; y++) {
          for (let x = 0; x < width; x++) {
            const from = (channel * height + y) * width + x;
            if (from >= values.length) continue;
            const to = 4 * ((top + y) * imageWidth + left + x);
            const isLost = missing[from] === 1 && kind !== "sent";
            const value = 3 * values[from]!;
            for (let i = 0; i < 3; i++) {
              // What was concealed keeps a tinge, so that the eye finds it.
              const own = table[value + i]!;
              data[to + i] = !isLost ? own : kind === "received" ? lost[i]! : own * 0.8 + lost[i]! * 0.2;
            }
            data[to + 3] = 255;
          }
        }
      }
      context.putImageData(image, 0, 0);
    },
  };
}
