import { motionParts } from "@sluice/tensor";
import { type BlockGrid, blockArea } from "./block-grid.js";
import type { BlockTransform } from "./block-transform.js";

/** The vector of a block: rows and columns to where it is taken from, in 1/`motionParts` of an element. */
export type MotionVector = readonly [dy: number, dx: number];

/** A frame that is looked at from elsewhere: its elements less their means. */
export interface MotionPicture {
  /** Element `(row * width + column) * pitch + channel`; those of which `draw` was called, or `look` had need. */
  readonly elements: Float32Array;
  /** Computes the elements of a block, unless they are there. */
  draw(block: number): void;
  /**
   * Puts into the transform's samples what a block is if it comes from where the vector points (spec 6.11). All in float32:
   * each product and each sum is rounded, so that it is the same on all machines.
   */
  look(block: number, vector: MotionVector): void;
}

const { fround } = Math;
const perWeight = 1 / motionParts ** 2;

/** @param coefficients of all blocks, one behind the other, as the transform has them; not copied */
export function createMotionPicture(
  grid: BlockGrid,
  transform: BlockTransform,
  coefficients: Float32Array,
): MotionPicture {
  const { height, width, blockHeight, blockWidth, columns, blocks } = grid;
  const { pitch, samples } = transform;
  const perBlock = transform.coefficients.length;
  const elements = new Float32Array(height * width * pitch);
  const isDrawn = new Uint8Array(blocks);
  const clampRow = (row: number): number => Math.min(height - 1, Math.max(0, row));
  const clampColumn = (column: number): number => Math.min(width - 1, Math.max(0, column));

  function draw(block: number): void {
    if (isDrawn[block] !== 0) return;
    isDrawn[block] = 1;
    transform.coefficients.set(coefficients.subarray(block * perBlock, (block + 1) * perBlock));
    transform.synthesizeSamples();
    copySamples(grid, block, pitch, samples, elements);
  }

  /** Draws the blocks that hold these rows and columns, limits included. */
  function drawArea(top: number, left: number, bottom: number, right: number): void {
    const lastRow = Math.floor(bottom / blockHeight);
    const lastColumn = Math.floor(right / blockWidth);
    for (let row = Math.floor(top / blockHeight); row <= lastRow; row++) {
      for (let column = Math.floor(left / blockWidth); column <= lastColumn; column++) {
        draw(row * columns + column);
      }
    }
  }

  return {
    elements,
    draw,
    look(block, [dy, dx]) {
      const area = blockArea(grid, block);
      const [down, along] = [Math.floor(dy / motionParts), Math.floor(dx / motionParts)];
      const [partDown, partAlong] = [dy - down * motionParts, dx - along * motionParts];
      const [top, left] = [area.top + down, area.left + along];
      drawArea(
        ...([clampRow(top), clampColumn(left)] as const),
        ...([clampRow(top + area.height), clampColumn(left + area.width)] as const),
      );
      const weights = [
        (motionParts - partDown) * (motionParts - partAlong),
        (motionParts - partDown) * partAlong,
        partDown * (motionParts - partAlong),
        partDown * partAlong,
      ] as const;
      for (let y = 0; y < blockHeight; y++) {
        // Beyond the tensor's edge a block goes on with what is last within.
        const row = top + Math.min(y, area.height - 1);
        const upper = clampRow(row) * width;
        const lower = clampRow(row + 1) * width;
        for (let x = 0; x < blockWidth; x++) {
          const column = left + Math.min(x, area.width - 1);
          const [near, far] = [clampColumn(column), clampColumn(column + 1)];
          const corners = [upper + near, upper + far, lower + near, lower + far] as const;
          blend(elements, corners, weights, pitch, samples, (y * blockWidth + x) * pitch);
        }
      }
    },
  };
}

/** All channels of a place between four positions. */
function blend(
  elements: Float32Array,
  [p, q, r, s]: readonly [number, number, number, number],
  [a, b, c, d]: readonly [number, number, number, number],
  pitch: number,
  target: Float32Array,
  at: number,
): void {
  const [first, second, third, fourth] = [p * pitch, q * pitch, r * pitch, s * pitch];
  for (let i = 0; i < pitch; i++) {
    const upper = fround(fround(a * elements[first + i]!) + fround(b * elements[second + i]!));
    const three = fround(upper + fround(c * elements[third + i]!));
    target[at + i] = fround(three + fround(d * elements[fourth + i]!)) * perWeight;
  }
}

/** Copies the samples of a block that lie within the tensor to their places in a picture. */
export function copySamples(
  grid: BlockGrid,
  block: number,
  pitch: number,
  samples: Float32Array,
  elements: Float32Array,
): void {
  const { top, left, height, width } = blockArea(grid, block);
  for (let y = 0; y < height; y++) {
    const from = y * grid.blockWidth * pitch;
    elements.set(samples.subarray(from, from + width * pitch), ((top + y) * grid.width + left) * pitch);
  }
}
