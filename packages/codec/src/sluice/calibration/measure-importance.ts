import type { BlockGrid } from "../block-grid.js";
import { blockArea } from "../block-grid.js";
import { dctMatrix } from "../block-transform.js";
import { distribution, logitsOf } from "./output-distance.js";

/** Runs the network's second half on tensors of the cut. */
export type RunTail = (tensors: readonly Float32Array[]) => Promise<readonly Float32Array[]>;

export interface ImportanceMeasurement {
  readonly grid: BlockGrid;
  /** Tensors to measure at. */
  readonly tensors: readonly Float32Array[];
  /** For each band of a block. */
  readonly groupOfBand: Uint8Array;
  /** Standard deviation of the noise that is added to an element. */
  readonly noise: number;
  readonly runTail: RunTail;
  /** 0 to 1, exclusive. */
  random(): number;
  onRuns(runs: number): void;
}

/** Answers are compared after softmax of so much softer logits: confident answers then say something as well. */
const temperature = 2;
const batchSize = 16;

/**
 * How much an error in each channel costs the network's output, for each group of bands: the matrix M for which an error e
 * in the channels of one coefficient of a block moves the output by e' M e on average, by Fisher's information of the
 * softened output. That is E[J' F J] of the Jacobian J from the channels to the logits, measured by runs of the second
 * half alone: noise of the band is added to one channel after the other, the same to each, and the changes of the logits
 * are multiplied with each other.
 */
export async function measureImportance(measurement: ImportanceMeasurement): Promise<Float64Array[]> {
  const { grid, tensors, groupOfBand } = measurement;
  const { channels } = grid;
  const groups = 1 + Math.max(...groupOfBand);
  const sums = Array.from({ length: groups }, () => new Float64Array(channels * channels));
  for (const tensor of tensors) {
    const [output] = await measurement.runTail([tensor]);
    const logits = logitsOf(output!);
    for (const [group, sum] of sums.entries()) {
      const pattern = noiseOf(measurement, group);
      const changes = await changesOf(measurement, tensor, pattern, logits);
      addProducts(changes, sum, 1 / (tensors.length * grid.blocks));
    }
  }
  return sums;
}

/** For each position: one band of the group in each block, of either sign, with {@link ImportanceMeasurement.noise}. */
function noiseOf({ grid, groupOfBand, noise, random }: ImportanceMeasurement, group: number): Float32Array {
  const { blockHeight, blockWidth, width } = grid;
  const vertical = dctMatrix(blockHeight);
  const horizontal = dctMatrix(blockWidth);
  const bands = [...groupOfBand.keys()].filter((band) => groupOfBand[band] === group);
  const pattern = new Float32Array(grid.height * width);
  for (let block = 0; block < grid.blocks; block++) {
    const band = bands[Math.floor(random() * bands.length)]!;
    const size = (random() < 0.5 ? noise : -noise) * Math.sqrt(blockHeight * blockWidth);
    const g = Math.floor(band / blockWidth);
    const f = band % blockWidth;
    const area = blockArea(grid, block);
    for (let y = 0; y < area.height; y++) {
      for (let x = 0; x < area.width; x++) {
        pattern[(area.top + y) * width + area.left + x] =
          size * vertical[g * blockHeight + y]! * horizontal[f * blockWidth + x]!;
      }
    }
  }
  return pattern;
}

/** For each channel: the change of the logits for an error of 1 in the coefficients, scaled so that squares add up to the cost. */
async function changesOf(
  { grid, noise, runTail, onRuns }: ImportanceMeasurement,
  tensor: Float32Array,
  pattern: Float32Array,
  logits: Float64Array,
): Promise<Float64Array[]> {
  const { channels, height, width, channelStride, rowStride, columnStride } = grid;
  const weights = distribution(logits, temperature);
  const size = noise * Math.sqrt(grid.blockHeight * grid.blockWidth);
  const changes: Float64Array[] = [];
  for (let first = 0; first < channels; first += batchSize) {
    const batch = Array.from({ length: Math.min(batchSize, channels - first) }, (_, i) => {
      const noisy = tensor.slice();
      const from = (first + i) * channelStride;
      for (let y = 0; y < height; y++) {
        for (let x = 0; x < width; x++) {
          const at = from + y * rowStride + x * columnStride;
          noisy[at] = noisy[at]! + pattern[y * width + x]!;
        }
      }
      return noisy;
    });
    for (const output of await runTail(batch)) {
      const change = logitsOf(output).map((value, k) => (value - logits[k]!) / size);
      const mean = change.reduce((sum, value, k) => sum + weights[k]! * value, 0);
      changes.push(change.map((value, k) => (value - mean) * Math.sqrt(weights[k]!)));
    }
    onRuns(batch.length);
  }
  return changes;
}

function addProducts(rows: readonly Float64Array[], sum: Float64Array, factor: number): void {
  const size = rows.length;
  for (let a = 0; a < size; a++) {
    for (let b = 0; b <= a; b++) {
      const left = rows[a]!;
      const right = rows[b]!;
      let product = 0;
      for (let k = 0; k < left.length; k++) product += left[k]! * right[k]!;
      sum[a * size + b] = sum[a * size + b]! + factor * product;
      if (a !== b) sum[b * size + a] = sum[b * size + a]! + factor * product;
    }
  }
}
