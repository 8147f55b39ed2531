import { type PlaneGeometry, windowSide } from "./neighbour-predictors.js";

/** How far apart two places of a window can lie. */
const reach = windowSide - 1;
const side = 2 * reach + 1;
/** Half of the lags; the others are their mirror images. The first is no lag at all. */
const half: readonly { readonly down: number; readonly right: number }[] = Array.from(
  { length: (side * side + 1) / 2 },
  (_, i) => ({
    down: Math.floor((i + reach) / side),
    right: ((i + reach) % side) - reach,
  }),
);

/** Multiply-adds that one tensor costs. */
export function lagCovarianceCost({ channels, height, width }: PlaneGeometry): number {
  return channels * channels * half.length * height * width;
}

/** Covariances of elements of two channels at most two rows and columns apart, the same all over the planes. */
export interface LagCovariance {
  readonly channels: number;
  /** Mean product of the deviations of channel `a` at a place and of `b` at `down` rows and `right` columns from it. */
  at(a: number, b: number, down: number, right: number): number;
}

export interface LagCovarianceAccumulator {
  /** @param tensor finite, of the geometry's size; it is not kept. */
  add(tensor: Float32Array): void;
  /** Of what was added so far, at least one tensor. */
  finish(): LagCovariance;
}

/** One plane after the other, whatever the layout. */
function copyPlanes(tensor: Float32Array, geometry: PlaneGeometry, planes: Float64Array): void {
  const { channels, height, width, channelStep, rowStep, columnStep } = geometry;
  let to = 0;
  for (let c = 0; c < channels; c++) {
    for (let y = 0; y < height; y++) {
      let from = c * channelStep + y * rowStep;
      for (let x = 0; x < width; x++, from += columnStep) planes[to++] = tensor[from]!;
    }
  }
}

/** Adds `sign` times the sums of products of all pairs of channels at all lags of `half`. */
function addProducts(
  planes: Float64Array,
  { channels, height, width }: PlaneGeometry,
  factor: number,
  sums: Float64Array,
): void {
  const size = height * width;
  let at = 0;
  for (const { down, right } of half) {
    const first = Math.max(0, -right);
    const columns = width - Math.abs(right);
    for (let a = 0; a < channels; a++) {
      for (let b = 0; b < channels; b++, at++) {
        let sum = 0;
        for (let y = 0; y + down < height; y++) {
          let p = a * size + y * width + first;
          let q = b * size + (y + down) * width + first + right;
          for (let end = p + columns; p < end; p++, q++) sum += planes[p]! * planes[q]!;
        }
        sums[at] = sums[at]! + factor * sum;
      }
    }
  }
}

/**
 * Gathers covariances at lags, about each element's own mean. Products that would reach over the edge count as 0, which
 * keeps every matrix of them positive semidefinite (the biased estimate, as usual for spectra).
 */
export function createLagCovarianceAccumulator(geometry: PlaneGeometry): LagCovarianceAccumulator {
  const { channels, height, width } = geometry;
  const size = channels * height * width;
  const planes = new Float64Array(size);
  const totals = new Float64Array(size);
  const products = new Float64Array(half.length * channels * channels);
  let samples = 0;
  return {
    add(tensor) {
      copyPlanes(tensor, geometry, planes);
      addProducts(planes, geometry, 1, products);
      for (let i = 0; i < size; i++) totals[i] = totals[i]! + planes[i]!;
      samples++;
    },
    finish() {
      const sums = products.slice();
      addProducts(totals, geometry, -1 / samples, sums);
      const scale = 1 / (samples * height * width);
      return {
        channels,
        at(a, b, down, right) {
          const isMirrored = down < 0 || (down === 0 && right < 0);
          const lag = (isMirrored ? -down : down) * side + (isMirrored ? -right : right);
          const pair = isMirrored ? b * channels + a : a * channels + b;
          return scale * sums[lag * channels * channels + pair]!;
        },
      };
    },
  };
}
