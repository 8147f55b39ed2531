import { motionParts } from "@sluice/tensor";
import { type BlockGrid, blockArea } from "./block-grid.js";
import type { BlockTransform } from "./block-transform.js";
import type { MotionPicture, MotionVector } from "./motion-picture.js";

/** Channels that are compared: those whose errors count most. The rest moves with them. */
const comparedChannels = 8;

/** Finds where the blocks of a frame were in an earlier one. */
export interface MotionSearch {
  /** Takes the transform's samples for those of a block of the frame. */
  takeSamples(block: number): void;
  /** Begins to compare the frame with another. */
  begin(reference: MotionPicture): void;
  /** The vector with the least error: of all whole ones within reach, then around it by halves down to the finest part. */
  find(block: number): MotionVector;
}

/**
 * @param reach of vectors, in whole elements
 * @param deviations of the channels
 */
export function createMotionSearch(
  grid: BlockGrid,
  transform: BlockTransform,
  reach: number,
  deviations: ArrayLike<number>,
): MotionSearch {
  const { height, width } = grid;
  const { pitch, samples } = transform;
  const weights = channelWeights(grid, transform);
  const energy = (c: number): number => weights[c]! * deviations[c]! ** 2;
  const chosen = Array.from({ length: grid.channels }, (_, c) => c)
    .sort((a, b) => energy(b) - energy(a) || a - b)
    .slice(0, comparedChannels);
  const count = chosen.length;
  const scales = chosen.map((c) => Math.sqrt(weights[c]!));
  const own = new Float32Array(height * width * count);
  const other = new Float32Array(height * width * count);
  const isKnown = new Uint8Array(grid.blocks);
  let picture: MotionPicture | undefined;
  const clampRow = (row: number): number => Math.min(height - 1, Math.max(0, row));
  const clampColumn = (column: number): number => Math.min(width - 1, Math.max(0, column));
  const most = reach * motionParts;

  /** Makes sure of what lies within reach of a block. */
  function know(block: number): void {
    const area = blockArea(grid, block);
    const top = Math.floor(clampRow(area.top - reach) / grid.blockHeight);
    const bottom = Math.floor(clampRow(area.top + area.height + reach) / grid.blockHeight);
    const left = Math.floor(clampColumn(area.left - reach) / grid.blockWidth);
    const right = Math.floor(clampColumn(area.left + area.width + reach) / grid.blockWidth);
    for (let row = top; row <= bottom; row++) {
      for (let column = left; column <= right; column++) {
        const near = row * grid.columns + column;
        if (isKnown[near] !== 0) continue;
        isKnown[near] = 1;
        picture!.draw(near);
        const { elements } = picture!;
        forEachPosition(near, (position) => {
          for (let i = 0; i < count; i++) {
            other[position * count + i] = elements[position * pitch + chosen[i]!]! * scales[i]!;
          }
        });
      }
    }
  }

  function forEachPosition(block: number, visit: (position: number, inBlock: number) => void): void {
    const area = blockArea(grid, block);
    for (let y = 0; y < area.height; y++) {
      for (let x = 0; x < area.width; x++) {
        visit((area.top + y) * width + area.left + x, y * grid.blockWidth + x);
      }
    }
  }

  /** Sum of squares between a block and where a whole vector points; `limit` or more as soon as it is that. */
  function wholeError(block: number, dy: number, dx: number, limit: number): number {
    const area = blockArea(grid, block);
    let sum = 0;
    for (let y = area.top; y < area.top + area.height && sum < limit; y++) {
      const row = clampRow(y + dy) * width;
      for (let x = area.left; x < area.left + area.width; x++) {
        const from = (row + clampColumn(x + dx)) * count;
        const at = (y * width + x) * count;
        for (let i = 0; i < count; i++) {
          const difference = own[at + i]! - other[from + i]!;
          sum += difference * difference;
        }
      }
    }
    return sum;
  }

  /** The same of any vector. */
  function partError(block: number, dy: number, dx: number, limit: number): number {
    const area = blockArea(grid, block);
    const [down, along] = [Math.floor(dy / motionParts), Math.floor(dx / motionParts)];
    const [v, h] = [dy / motionParts - down, dx / motionParts - along];
    let sum = 0;
    for (let y = area.top; y < area.top + area.height && sum < limit; y++) {
      const upper = clampRow(y + down) * width;
      const lower = clampRow(y + down + 1) * width;
      for (let x = area.left; x < area.left + area.width; x++) {
        const [near, far] = [clampColumn(x + along), clampColumn(x + along + 1)];
        const [a, b] = [(upper + near) * count, (upper + far) * count];
        const [c, d] = [(lower + near) * count, (lower + far) * count];
        const at = (y * width + x) * count;
        for (let i = 0; i < count; i++) {
          const above = other[a + i]! + h * (other[b + i]! - other[a + i]!);
          const below = other[c + i]! + h * (other[d + i]! - other[c + i]!);
          const difference = own[at + i]! - above - v * (below - above);
          sum += difference * difference;
        }
      }
    }
    return sum;
  }

  return {
    takeSamples(block) {
      forEachPosition(block, (position, inBlock) => {
        for (let i = 0; i < count; i++) {
          own[position * count + i] = samples[inBlock * pitch + chosen[i]!]! * scales[i]!;
        }
      });
    },
    begin(reference) {
      picture = reference;
      isKnown.fill(0);
    },
    find(block) {
      know(block);
      let [bestY, bestX] = [0, 0];
      let least = wholeError(block, 0, 0, Number.POSITIVE_INFINITY);
      for (let dy = -reach; dy <= reach; dy++) {
        for (let dx = -reach; dx <= reach; dx++) {
          const error = wholeError(block, dy, dx, least);
          if (error < least) [least, bestY, bestX] = [error, dy * motionParts, dx * motionParts];
        }
      }
      for (let step = motionParts / 2; step >= 1; step /= 2) {
        const [y, x] = [bestY, bestX];
        for (let dy = y - step; dy <= y + step; dy += step) {
          for (let dx = x - step; dx <= x + step; dx += step) {
            if ((dy === y && dx === x) || Math.abs(dy) > most || Math.abs(dx) > most) continue;
            const error = partError(block, dy, dx, least);
            if (error < least) [least, bestY, bestX] = [error, dy, dx];
          }
        }
      }
      return [bestY, bestX];
    },
  };
}

/**
 * What an error of each channel counts: the squared coefficients that it makes at one position of a block, at which no
 * frequency is 0.
 */
function channelWeights(
  { channels }: BlockGrid,
  { samples, coefficients, analyseSamples }: BlockTransform,
): Float64Array {
  const weights = new Float64Array(channels);
  samples.fill(0);
  for (let c = 0; c < channels; c++) {
    samples[c] = 1;
    analyseSamples();
    for (const value of coefficients) weights[c] = weights[c]! + value * value;
    samples[c] = 0;
  }
  return weights;
}
