import fc from "fast-check";
import t from "tap";
import { createPlainTransform } from "#codec/sluice/plain-transform.js";
import { createSimdTransform } from "#codec/sluice/simd-transform.js";
import type { TransformKernel, TransformParameters } from "#codec/sluice/transform-parameters.js";

const seed = Number(process.env.SLUICE_SEED ?? 20261127);
t.comment(`seed ${seed}`);

const kernelsOf = (parameters: TransformParameters): readonly TransformKernel[] => {
  const simd = createSimdTransform(parameters);
  if (simd === undefined) throw new Error("every Node that is supported has WebAssembly with SIMD");
  return [simd, createPlainTransform(parameters)];
};

/** Numbers between -1 and 1. */
function createNumbers(seed: number): (count: number) => Float32Array {
  let state = seed >>> 0;
  return (count) =>
    Float32Array.from({ length: count }, () => {
      state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
      return state / 2 ** 31 - 1;
    });
}

/** An orthonormal matrix: a product of plane rotations. */
function createRotation(size: number, numbers: (count: number) => Float32Array): Float32Array {
  const matrix = Float64Array.from({ length: size * size }, (_, at) => (at % (size + 1) === 0 ? 1 : 0));
  for (let row = 0; row + 1 < size; row++) {
    const angle = numbers(1)[0]! * Math.PI;
    const [cosine, sine] = [Math.cos(angle), Math.sin(angle)];
    for (let column = 0; column < size; column++) {
      const [a, b] = [matrix[row * size + column]!, matrix[(row + 1) * size + column]!];
      matrix[row * size + column] = cosine * a - sine * b;
      matrix[(row + 1) * size + column] = sine * a + cosine * b;
    }
  }
  return Float32Array.from(matrix);
}

interface Case {
  readonly channels: number;
  readonly blockHeight: number;
  readonly blockWidth: number;
  readonly matrices: number;
  readonly seed: number;
}

const cases = fc.record({
  channels: fc.oneof(fc.integer({ min: 1, max: 20 }), fc.constantFrom(32, 64, 65)),
  blockHeight: fc.integer({ min: 1, max: 9 }),
  blockWidth: fc.integer({ min: 1, max: 9 }),
  matrices: fc.integer({ min: 0, max: 3 }),
  seed: fc.integer({ min: 1, max: 1 << 30 }),
});

function createParameters({ channels, blockHeight, blockWidth, matrices, seed }: Case): TransformParameters {
  const numbers = createNumbers(seed);
  const rotations = Array.from({ length: matrices }, () => createRotation(channels, numbers));
  const analysis = Float32Array.from(rotations.flatMap((rotation) => [...rotation]));
  const bands = blockHeight * blockWidth;
  return {
    ...{ channels, blockHeight, blockWidth },
    vertical: createRotation(blockHeight, numbers),
    horizontal: createRotation(blockWidth, numbers),
    mixing:
      matrices === 0
        ? undefined
        : {
            matrixOfBand: Array.from({ length: bands }, (_, band) => Math.floor((band * matrices) / bands)),
            analysis,
            synthesis: analysis,
          },
  };
}

/** Numbers in the rows of `target`, and 0 between them. */
function fill(
  { pitch }: TransformKernel,
  target: Float32Array,
  channels: number,
  numberAt: (i: number) => number,
): void {
  for (let i = 0; i < target.length; i++) target[i] = i % pitch < channels ? numberAt(i) : 0;
}

const bytesOf = (values: Float32Array) => Buffer.from(values.buffer, values.byteOffset, values.byteLength);

/** The coefficients in float64, straight from what they are defined as. */
function coefficientsOf(parameters: TransformParameters, samples: Float32Array, pitch: number): number[] {
  const { channels, blockHeight, blockWidth, vertical, horizontal, mixing } = parameters;
  const coefficients: number[] = [];
  for (let band = 0; band < blockHeight * blockWidth; band++) {
    const spectrum = Array.from({ length: pitch }, (_, channel) => {
      let sum = 0;
      for (let position = 0; position < blockHeight * blockWidth; position++) {
        const down =
          vertical[Math.floor(band / blockWidth) * blockHeight + Math.floor(position / blockWidth)]!;
        const along = horizontal[(band % blockWidth) * blockWidth + (position % blockWidth)]!;
        sum += down * along * samples[position * pitch + channel]!;
      }
      return sum;
    });
    for (let k = 0; k < pitch; k++) {
      if (mixing === undefined) coefficients.push(spectrum[k]!);
      else {
        const row = (mixing.matrixOfBand[band]! * channels + k) * channels;
        let sum = 0;
        for (let c = 0; k < channels && c < channels; c++) sum += mixing.analysis[row + c]! * spectrum[c]!;
        coefficients.push(sum);
      }
    }
  }
  return coefficients;
}

t.test("analysis: both kinds alike in every bit, and as defined", async () => {
  const property = fc.property(cases, (parameters) => {
    const transform = createParameters(parameters);
    const kernels = kernelsOf(transform);
    const numbers = createNumbers(parameters.seed + 1)(kernels[0]!.samples.length);
    for (const kernel of kernels) {
      fill(kernel, kernel.samples, parameters.channels, (i) => numbers[i]!);
      kernel.analyse();
    }
    const [simd, plain] = kernels as [TransformKernel, TransformKernel];
    if (!bytesOf(simd.coefficients).equals(bytesOf(plain.coefficients))) throw new Error("kinds differ");
    const expected = coefficientsOf(transform, simd.samples, simd.pitch);
    return expected.every((value, i) => Math.abs(value - simd.coefficients[i]!) < 1e-5);
  });
  fc.assert(property, { seed, numRuns: 60 });
});

t.test(
  "synthesis: both kinds alike in every bit, of sparse and dense blocks, and undoes analysis",
  async () => {
    const property = fc.property(cases, fc.constantFrom(0, 0.1, 1), (parameters, density) => {
      const kernels = kernelsOf(createParameters(parameters));
      const numbers = createNumbers(parameters.seed + 2);
      const [simd, plain] = kernels as [TransformKernel, TransformKernel];
      const values = numbers(simd.coefficients.length);
      const kept = numbers(simd.coefficients.length).map((value) => (Math.abs(value) < density ? 1 : 0));
      for (const kernel of kernels) {
        fill(kernel, kernel.coefficients, parameters.channels, (i) => values[i]! * kept[i]!);
        kernel.synthesize();
      }
      if (!bytesOf(simd.samples).equals(bytesOf(plain.samples))) throw new Error("kinds differ");
      const before = simd.coefficients.slice();
      simd.analyse();
      return before.every((value, i) => Math.abs(value - simd.coefficients[i]!) < 1e-5);
    });
    fc.assert(property, { seed, numRuns: 60 });
  },
);

t.test("parameters that do not fit are refused by name", async (t) => {
  const parameters = createParameters({ channels: 3, blockHeight: 2, blockWidth: 2, matrices: 2, seed: 1 });
  const mixing = parameters.mixing!;
  const bad: [string, Partial<TransformParameters>][] = [
    ["channels", { channels: 0 }],
    ["blockHeight", { blockHeight: 1.5 }],
    ["vertical", { vertical: new Float32Array(3) }],
    ["horizontal", { horizontal: Float32Array.of(1, Number.NaN, 0, 1) }],
    ["matrixOfBand", { mixing: { ...mixing, matrixOfBand: [0, 1, 2, 0] } }],
    ["matrixOfBand", { mixing: { ...mixing, matrixOfBand: [0, 1] } }],
    ["analysis", { mixing: { ...mixing, analysis: new Float32Array(5), synthesis: new Float32Array(5) } }],
    ["synthesis", { mixing: { ...mixing, synthesis: new Float32Array(9) } }],
    ["synthesis", { mixing: { ...mixing, synthesis: new Float32Array(18).fill(Number.POSITIVE_INFINITY) } }],
  ];
  for (const [field, change] of bad) {
    for (const create of [createSimdTransform, createPlainTransform]) {
      t.throws(() => create({ ...parameters, ...change }), { name: "TensorError", field });
    }
  }
});
