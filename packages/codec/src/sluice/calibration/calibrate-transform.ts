import { type CutStatistics, momentsOf, type TensorSpec, type TransformStatistics } from "@sluice/tensor";
import { createBlockGrid } from "../block-grid.js";
import { createBlockTransform } from "../block-transform.js";
import { frequencySymbols } from "../frequency-table.js";
import { rounding } from "../quantized-tensor.js";
import { createSluiceCodec } from "../sluice-codec.js";
import { coarseQualities, neutralQuality, stepOf } from "../sluice-plan.js";
import { chooseSide, groupBands } from "./choose-block.js";
import { type CoefficientHistogram, fitScales } from "./fit-scales.js";
import { fitTransform, measureCovariances } from "./fit-transform.js";
import { measureImportance, type RunTail } from "./measure-importance.js";
import { expectedLoss, logitsOf } from "./output-distance.js";

/** What {@link calibrateTransform} works with. */
export interface TransformCalibration {
  /** Of the tensors at the cut; float32. */
  readonly spec: TensorSpec<"float32">;
  /** Their means and ranges. */
  readonly statistics: CutStatistics;
  /** Tensors at the cut of training images; some hundred are enough. */
  readonly tensors: readonly Float32Array[];
  readonly runTail: RunTail;
  /** 0 to 1, exclusive; the same numbers give the same result. */
  random(): number;
  /** The most runs of the second half that measuring importances may take. Default 8,192. */
  readonly maxRuns?: number;
  /** The share of right answers that the codec's default step may cost, as far as the network can tell. Default 0.006. */
  readonly tolerance?: number;
  onProgress?(done: number, total: number): void;
}

const defaultRuns = 8192;
const defaultTolerance = 0.006;
/** Of the noise by which importances are measured, against the deviation of all elements. */
const relativeNoise = 0.5;
/** Tensors at which the step is tried. */
const stepTensors = 192;
/** The step is found to an eighth of an octave. */
const stepTrials = 6;
const batchSize = 16;

/**
 * Measures what the codec `sluice` needs to know of a cut (spec 6.4): by runs of the network's second half alone.
 * @throws TensorError where statistics or tensors do not fit the spec
 */
export async function calibrateTransform(calibration: TransformCalibration): Promise<TransformStatistics> {
  const { spec, statistics, tensors, runTail, random, onProgress } = calibration;
  const whole = createBlockGrid(spec, [1, 1]);
  const block = [chooseSide(whole.height), chooseSide(whole.width)] as const;
  const grid = createBlockGrid(spec, block);
  const groupOfBand = groupBands(block[0], block[1], grid.channels);
  const groups = 1 + Math.max(...groupOfBand);
  const perTensor = groups * grid.channels;
  const measured = spread(tensors, Math.max(2, Math.floor((calibration.maxRuns ?? defaultRuns) / perTensor)));
  const tried = spread(tensors, stepTensors);
  const total = measured.length * perTensor + tried.length * (stepTrials + 1);
  let done = 0;
  const onRuns = (runs: number): void => {
    done += runs;
    onProgress?.(done, total);
  };
  const noise = relativeNoise * momentsOf(measured[0]!).deviation || 1;
  const importances = await measureImportance({
    ...{ grid, groupOfBand, noise, runTail, random, onRuns },
    tensors: measured,
  });
  const covariances = measureCovariances(grid, statistics, tensors, groupOfBand);
  const unscaled = fitTransform(grid, groupOfBand, importances, covariances);
  const step = await findStep(calibration, unscaled, tried, noise, onRuns);
  const transform = { ...unscaled, gains: unscaled.gains.map((gain) => gain * step) };
  const { fine, coarse } = countCoefficients(calibration, transform);
  return { ...transform, scales: fitScales(fine), coarseScales: fitScales(coarse) };
}

/** So many of a list, evenly spread over it. */
function spread<T>(list: readonly T[], most: number): T[] {
  if (list.length <= most) return [...list];
  return Array.from({ length: most }, (_, i) => list[Math.floor((i * list.length) / most)]!);
}

/** The largest step, in the transform's units, that the tolerance allows. */
async function findStep(
  { spec, statistics, runTail, tolerance = defaultTolerance }: TransformCalibration,
  transform: TransformStatistics,
  tensors: readonly Float32Array[],
  noise: number,
  onRuns: (runs: number) => void,
): Promise<number> {
  const before = await answers(tensors, runTail, onRuns);
  const lossOf = async (step: number): Promise<number> => {
    const scaled = { ...transform, gains: transform.gains.map((gain) => gain * step) };
    const codec = createSluiceCodec({ layers: 1 });
    const encoder = codec.createEncoder(spec, { ...statistics, transform: scaled });
    const decoder = codec.createDecoder(spec, { ...statistics, transform: scaled });
    const coded = tensors.map((data) => {
      const partial = decoder.begin();
      const { slices } = encoder.encode({ ...spec, data }, Number.POSITIVE_INFINITY);
      for (const { index, count, payload } of slices) partial.add(index, count, payload);
      return partial.finish().tensor.data as Float32Array;
    });
    const after = await answers(coded, runTail, onRuns);
    return after.reduce((sum, answer, i) => sum + expectedLoss(before[i]!, answer), 0) / after.length;
  };
  // From an eighth of the noise to 16 times it, by eighths of an octave.
  let eighths = -24;
  let tooFar = 33;
  for (let trial = 0; trial < stepTrials && tooFar - eighths > 1; trial++) {
    const middle = Math.floor((eighths + tooFar) / 2);
    if ((await lossOf(noise * 2 ** (middle / 8))) <= tolerance) eighths = middle;
    else tooFar = middle;
  }
  return noise * 2 ** (eighths / 8);
}

async function answers(
  tensors: readonly Float32Array[],
  runTail: RunTail,
  onRuns: (runs: number) => void,
): Promise<Float64Array[]> {
  const all: Float64Array[] = [];
  for (let at = 0; at < tensors.length; at += batchSize) {
    const outputs = await runTail(tensors.slice(at, at + batchSize));
    for (const output of outputs) all.push(logitsOf(output));
    onRuns(outputs.length);
  }
  return all;
}

/** In steps of 1, and in steps of the coarse scales. */
function countCoefficients(
  { spec, statistics, tensors }: TransformCalibration,
  transform: TransformStatistics,
): { fine: CoefficientHistogram; coarse: CoefficientHistogram } {
  const grid = createBlockGrid(spec, transform.block);
  const analysis = createBlockTransform(grid, statistics, transform);
  const { length } = transform.scales;
  const places = Uint32Array.from({ length }, (_, i) => analysis.place(i));
  const steps = [1, stepOf(neutralQuality - coarseQualities)];
  const histograms = steps.map(() => ({
    counts: new Uint32Array(length * frequencySymbols),
    mean: new Float64Array(length),
  }));
  for (const tensor of tensors) {
    for (let b = 0; b < grid.blocks; b++) {
      analysis.analyse(tensor, b);
      for (const [at, { counts, mean }] of histograms.entries()) {
        for (let i = 0; i < length; i++) {
          const magnitude = Math.abs(analysis.coefficients[places[i]!]!) / steps[at]!;
          mean[i] = mean[i]! + magnitude / (tensors.length * grid.blocks);
          const symbol = Math.min(frequencySymbols - 1, Math.floor(magnitude + rounding));
          counts[i * frequencySymbols + symbol] = counts[i * frequencySymbols + symbol]! + 1;
        }
      }
    }
  }
  return { fine: histograms[0]!, coarse: histograms[1]! };
}
