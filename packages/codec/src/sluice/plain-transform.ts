import {
  checkTransform,
  forEachElement,
  pitchOf,
  type TransformKernel,
  type TransformParameters,
  transposed,
} from "./transform-parameters.js";

const { fround } = Math;

/** Rows from `first` on: row i of `target` is the sum over j of matrix[i * size + j] times row j of `source`. */
function combineRows(
  source: Float32Array,
  target: Float32Array,
  first: number,
  matrix: Float32Array,
  size: number,
  length: number,
): void {
  for (let i = 0; i < size; i++) {
    for (let at = 0; at < length; at++) {
      let sum = fround(matrix[i * size]! * source[first + at]!);
      for (let j = 1; j < size; j++) {
        sum = fround(sum + fround(matrix[i * size + j]! * source[first + j * length + at]!));
      }
      target[first + i * length + at] = sum;
    }
  }
}

/** Rows of `source` times matrices: see {@link TransformKernel}. */
function multiplyRow(
  source: Float32Array,
  target: Float32Array,
  row: number,
  matrices: Float32Array,
  matrix: number,
  channels: number,
): void {
  const pitch = pitchOf(channels);
  target.fill(0, row, row + pitch);
  for (let i = 0; i < channels; i++) {
    const value = source[row + i]!;
    if (value === 0) continue;
    const from = (matrix * channels + i) * pitch;
    for (let at = 0; at < pitch; at++) {
      target[row + at] = fround(target[row + at]! + fround(value * matrices[from + at]!));
    }
  }
}

/** In JavaScript: where there is no WebAssembly with SIMD, and to test the other one against. */
export function createPlainTransform(parameters: TransformParameters): TransformKernel {
  checkTransform(parameters);
  const { channels, blockHeight, blockWidth, vertical, horizontal, mixing } = parameters;
  const pitch = pitchOf(channels);
  const bands = blockHeight * blockWidth;
  const rowLength = blockWidth * pitch;
  const samples = new Float32Array(bands * pitch);
  const halfway = new Float32Array(bands * pitch);
  const spectrum = new Float32Array(bands * pitch);
  const coefficients = mixing === undefined ? spectrum : new Float32Array(bands * pitch);
  const matrixOf = (matrices: Float32Array, isTransposed: boolean): Float32Array => {
    const target = new Float32Array((matrices.length / channels) * pitch);
    forEachElement(matrices, channels, (value, matrix, row, column) => {
      const [from, to] = isTransposed ? [column, row] : [row, column];
      target[(matrix * channels + from) * pitch + to] = value;
    });
    return target;
  };
  const analysis = mixing && matrixOf(mixing.analysis, true);
  const synthesis = mixing && matrixOf(mixing.synthesis, false);
  const down = { forward: vertical.slice(), back: transposed(vertical, blockHeight) };
  const along = { forward: horizontal.slice(), back: transposed(horizontal, blockWidth) };

  function mix(from: Float32Array, to: Float32Array, matrices: Float32Array | undefined): void {
    if (matrices === undefined) return;
    for (let band = 0; band < bands; band++) {
      multiplyRow(from, to, band * pitch, matrices, mixing!.matrixOfBand[band]!, channels);
    }
  }

  return {
    kind: "plain",
    pitch,
    samples,
    coefficients,
    analyse() {
      for (let y = 0; y < blockHeight; y++) {
        combineRows(samples, halfway, y * rowLength, along.forward, blockWidth, pitch);
      }
      combineRows(halfway, spectrum, 0, down.forward, blockHeight, rowLength);
      mix(spectrum, coefficients, analysis);
    },
    synthesize() {
      mix(coefficients, spectrum, synthesis);
      combineRows(spectrum, halfway, 0, down.back, blockHeight, rowLength);
      for (let y = 0; y < blockHeight; y++) {
        combineRows(halfway, samples, y * rowLength, along.back, blockWidth, pitch);
      }
    },
  };
}
