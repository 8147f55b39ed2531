import { TensorError } from "@sluice/tensor";

/** What a block of a tensor is transformed by. All arrays are copied. */
export interface TransformParameters {
  readonly channels: number;
  readonly blockHeight: number;
  readonly blockWidth: number;
  /** Orthonormal matrices of the transforms down a column and along a row: frequency by position. */
  readonly vertical: Float32Array;
  readonly horizontal: Float32Array;
  /** How channels become components. Without it components are channels. */
  readonly mixing?: Mixing | undefined;
}

export interface Mixing {
  /** For each band, vertical frequency by horizontal, which of the matrices it has. */
  readonly matrixOfBand: ArrayLike<number>;
  /** Matrices, component by channel: what a channel adds to a component. */
  readonly analysis: Float32Array;
  /** Their inverses, transposed; component by channel too: what a component adds to a channel. */
  readonly synthesis: Float32Array;
}

/**
 * Transforms one block at a time: a separable transform of each channel, then for each band a matrix over the channels.
 * All in float32: each product and each sum is rounded, and sums are taken in the order of their index, so that both
 * kinds give the same bits.
 */
export interface TransformKernel {
  /** `simd` runs in WebAssembly, `plain` in JavaScript. */
  readonly kind: "simd" | "plain";
  /** Elements from one position or band to the next: the channels, rounded up to a multiple of 8. */
  readonly pitch: number;
  /** Element `position * pitch + channel`, positions by rows. What lies between the rows is 0 and stays so. */
  readonly samples: Float32Array;
  /** Element `band * pitch + component`. */
  readonly coefficients: Float32Array;
  /** Computes the coefficients of the samples. */
  analyse(): void;
  /** Computes the samples of the coefficients; those that are 0 cost next to nothing. */
  synthesize(): void;
}

/** @throws TensorError naming the parameter that does not fit */
export function checkTransform(parameters: TransformParameters): void {
  const { channels, blockHeight, blockWidth, vertical, horizontal, mixing } = parameters;
  for (const [field, value] of Object.entries({ channels, blockHeight, blockWidth })) {
    if (!Number.isInteger(value) || value < 1)
      throw new TensorError(field, `not a positive integer: ${value}`);
  }
  const expect = (field: string, length: number, expected: number): void => {
    if (length !== expected) throw new TensorError(field, `${length} elements, must be ${expected}`);
  };
  expect("vertical", vertical.length, blockHeight ** 2);
  expect("horizontal", horizontal.length, blockWidth ** 2);
  for (const [field, values] of Object.entries({ vertical, horizontal, ...mixing })) {
    if (Array.prototype.some.call(values, (value: number) => !Number.isFinite(value)))
      throw new TensorError(field, "must be finite");
  }
  if (mixing === undefined) return;
  const { matrixOfBand, analysis, synthesis } = mixing;
  expect("matrixOfBand", matrixOfBand.length, blockHeight * blockWidth);
  expect("synthesis", synthesis.length, analysis.length);
  const matrices = analysis.length / channels ** 2;
  if (!Number.isInteger(matrices)) {
    throw new TensorError(
      "analysis",
      `${analysis.length} elements are no matrices of ${channels} x ${channels}`,
    );
  }
  for (let band = 0; band < matrixOfBand.length; band++) {
    const matrix = matrixOfBand[band]!;
    if (!Number.isInteger(matrix) || matrix < 0 || matrix >= matrices) {
      throw new TensorError("matrixOfBand", `band ${band} has matrix ${matrix} of ${matrices}`);
    }
  }
}

/** Elements of a row: see {@link TransformKernel.pitch}. */
export function pitchOf(channels: number): number {
  return (channels + 7) & ~7;
}

/**
 * Calls `visit` for each element of square matrices that follow each other: what it is, of which matrix, and where in it.
 */
export function forEachElement(
  matrices: Float32Array,
  size: number,
  visit: (value: number, matrix: number, row: number, column: number) => void,
): void {
  for (let at = 0; at < matrices.length; at++) {
    const row = Math.floor(at / size);
    const matrix = Math.floor(row / size);
    visit(matrices[at]!, matrix, row - matrix * size, at % size);
  }
}

/** A square matrix with rows and columns changed. */
export function transposed(matrix: Float32Array, size: number): Float32Array {
  return matrix.map((_, at) => matrix[(at % size) * size + Math.floor(at / size)]!);
}

/** Bands that follow each other and have the same matrix, which are multiplied at once. */
export interface BandRun {
  readonly first: number;
  readonly count: number;
  readonly matrix: number;
}

export function bandRuns(matrixOfBand: ArrayLike<number>): BandRun[] {
  const runs: BandRun[] = [];
  for (let first = 0; first < matrixOfBand.length; ) {
    const matrix = matrixOfBand[first]!;
    let end = first + 1;
    while (end < matrixOfBand.length && matrixOfBand[end] === matrix) end++;
    runs.push({ first, count: end - first, matrix });
    first = end;
  }
  return runs;
}
