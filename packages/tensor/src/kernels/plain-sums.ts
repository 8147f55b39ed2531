import type { BlockSums } from "./tensor-kernels.js";

/**
 * Adds eight partial sums, one for each i mod 8, in the order in which WebAssembly adds its four accumulators of two
 * lanes. They are in an array here, and in variables while they are many times added to.
 */
function total([a, b, c, d, e, f, g, h]: PartialSums): number {
  return a + c + (e + g) + (b + d + (f + h));
}

type PartialSums = [number, number, number, number, number, number, number, number];

function sum(values: Float32Array): number {
  const end = values.length & -8;
  let [a, b, c, d, e, f, g, h] = [0, 0, 0, 0, 0, 0, 0, 0];
  for (let i = 0; i < end; i += 8) {
    a += values[i]!;
    b += values[i + 1]!;
    c += values[i + 2]!;
    d += values[i + 3]!;
    e += values[i + 4]!;
    f += values[i + 5]!;
    g += values[i + 6]!;
    h += values[i + 7]!;
  }
  const partial: PartialSums = [a, b, c, d, e, f, g, h];
  for (let i = end; i < values.length; i++) partial[i & 7]! += values[i]!;
  return total(partial);
}

function squaresAbout(values: Float32Array, mean: number): number {
  const square = (value: number) => (value - mean) * (value - mean);
  const end = values.length & -8;
  let [a, b, c, d, e, f, g, h] = [0, 0, 0, 0, 0, 0, 0, 0];
  for (let i = 0; i < end; i += 8) {
    a += square(values[i]!);
    b += square(values[i + 1]!);
    c += square(values[i + 2]!);
    d += square(values[i + 3]!);
    e += square(values[i + 4]!);
    f += square(values[i + 5]!);
    g += square(values[i + 6]!);
    h += square(values[i + 7]!);
  }
  const partial: PartialSums = [a, b, c, d, e, f, g, h];
  for (let i = end; i < values.length; i++) partial[i & 7]! += square(values[i]!);
  return total(partial);
}

/** See TensorKernels.sums. */
export function sums(values: Float32Array): BlockSums {
  let minimum = Number.POSITIVE_INFINITY;
  let maximum = Number.NEGATIVE_INFINITY;
  for (let i = 0; i < values.length; i++) {
    const value = values[i]!;
    if (value < minimum) minimum = value;
    if (value > maximum) maximum = value;
  }
  const all = sum(values);
  const squares = values.length === 0 ? 0 : squaresAbout(values, all / values.length);
  // Which of two zeros was met first must not show.
  return { sum: all, squares, minimum: minimum + 0, maximum: maximum + 0 };
}
