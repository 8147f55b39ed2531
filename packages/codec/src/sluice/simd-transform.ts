import { instantiate, reserve, type WasmMemory } from "@sluice/tensor";
import { kernelModule } from "../gen/kernel-module.js";
import {
  bandRuns,
  checkTransform,
  forEachElement,
  pitchOf,
  type TransformKernel,
  type TransformParameters,
  transposed,
} from "./transform-parameters.js";

/** What assembly/index.ts exports. */
interface TransformExports {
  readonly memory: WasmMemory;
  readonly combineRows: (source: number, target: number, matrix: number, size: number, pitch: number) => void;
  readonly multiply: (
    source: number,
    target: number,
    rows: number,
    strips: number,
    count: number,
    pitch: number,
  ) => void;
  readonly multiplySparse: (
    source: number,
    target: number,
    matrix: number,
    count: number,
    pitch: number,
    list: number,
  ) => void;
}

const floatBytes = Float32Array.BYTES_PER_ELEMENT;

/** Gives places in a memory, each at a multiple of 16 bytes. */
function createPlaces() {
  let end = 0;
  return {
    take(floats: number): number {
      const at = end;
      end = (at + floats * floatBytes + 15) & ~15;
      return at;
    },
    end: () => end,
  };
}

/** In an instance of its own; `undefined` where this machine cannot run it. */
export function createSimdTransform(parameters: TransformParameters): TransformKernel | undefined {
  checkTransform(parameters);
  const exports = instantiate<TransformExports>(kernelModule);
  if (exports === undefined) return undefined;
  const { channels, blockHeight, blockWidth, vertical, horizontal, mixing } = parameters;
  const pitch = pitchOf(channels);
  const bands = blockHeight * blockWidth;
  const block = bands * pitch;
  const matrixFloats = channels * pitch;
  const matrices = mixing === undefined ? 0 : mixing.analysis.length / channels ** 2;

  const places = createPlaces();
  const samplesAt = places.take(block);
  const halfwayAt = places.take(block);
  const spectrumAt = places.take(block);
  const coefficientsAt = mixing === undefined ? spectrumAt : places.take(block);
  const downAt = places.take(vertical.length);
  const downBackAt = places.take(vertical.length);
  const alongAt = places.take(horizontal.length);
  const alongBackAt = places.take(horizontal.length);
  const analysisAt = places.take(matrices * matrixFloats);
  const synthesisAt = places.take(matrices * matrixFloats);
  const listAt = places.take(2 * channels);
  reserve(exports.memory, places.end());
  const { buffer } = exports.memory;
  const floats = (at: number, count: number) => new Float32Array(buffer, at, count);
  floats(downAt, vertical.length).set(vertical);
  floats(downBackAt, vertical.length).set(transposed(vertical, blockHeight));
  floats(alongAt, horizontal.length).set(horizontal);
  floats(alongBackAt, horizontal.length).set(transposed(horizontal, blockWidth));
  if (mixing !== undefined) {
    const strips = floats(analysisAt, matrices * matrixFloats);
    forEachElement(mixing.analysis, channels, (value, matrix, component, channel) => {
      const strip = component >> 3;
      strips[matrix * matrixFloats + (strip * channels + channel) * 8 + (component & 7)] = value;
    });
    const rows = floats(synthesisAt, matrices * matrixFloats);
    forEachElement(mixing.synthesis, channels, (value, matrix, component, channel) => {
      rows[matrix * matrixFloats + component * pitch + channel] = value;
    });
  }

  const runs = mixing === undefined ? [] : bandRuns(mixing.matrixOfBand);
  const pitchBytes = pitch * floatBytes;
  const rowBytes = blockWidth * pitchBytes;
  const matrixBytes = matrixFloats * floatBytes;

  return {
    kind: "simd",
    pitch,
    samples: floats(samplesAt, block),
    coefficients: floats(coefficientsAt, block),
    analyse() {
      for (let y = 0; y < blockHeight; y++) {
        const row = y * rowBytes;
        exports.combineRows(samplesAt + row, halfwayAt + row, alongAt, blockWidth, pitchBytes);
      }
      exports.combineRows(halfwayAt, spectrumAt, downAt, blockHeight, rowBytes);
      for (const { first, count, matrix } of runs) {
        const row = first * pitchBytes;
        const at = analysisAt + matrix * matrixBytes;
        exports.multiply(spectrumAt + row, coefficientsAt + row, count, at, channels, pitchBytes);
      }
    },
    synthesize() {
      for (const { first, count, matrix } of runs) {
        const at = synthesisAt + matrix * matrixBytes;
        for (let band = first; band < first + count; band++) {
          const row = band * pitchBytes;
          exports.multiplySparse(coefficientsAt + row, spectrumAt + row, at, channels, pitchBytes, listAt);
        }
      }
      exports.combineRows(spectrumAt, halfwayAt, downBackAt, blockHeight, rowBytes);
      for (let y = 0; y < blockHeight; y++) {
        const row = y * rowBytes;
        exports.combineRows(halfwayAt + row, samplesAt + row, alongBackAt, blockWidth, pitchBytes);
      }
    },
  };
}
