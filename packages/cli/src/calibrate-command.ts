import { mkdir, rename, writeFile } from "node:fs/promises";
import { dirname } from "node:path";
import { calibrateTransform } from "@sluice/codec";
import {
  createSeededRandom,
  type Engine,
  loadModel,
  ModelError,
  type Network,
  specOf,
  statisticsPath,
} from "@sluice/inference";
import {
  type CutStatistics,
  createStatisticsAccumulator,
  elementCount,
  encodeStatistics,
  type StatisticsAccumulator,
  type Tensor,
  type TensorSpec,
} from "@sluice/tensor";
import type { Command } from "commander";
import { openCalibrationImages } from "./calibration-images.js";
import type { CliContext } from "./cli-context.js";
import { CliError } from "./cli-error.js";
import { ExitCode } from "./exit-codes.js";
import { formatBytes } from "./format-table.js";
import { addModelArgument, readModelArgument } from "./model-argument.js";
import { modelHelp } from "./model-help.js";
import { parseCount } from "./parse-count.js";

interface CalibrateOptions {
  readonly split: string;
  readonly images: string;
  readonly limit: number;
  readonly seed: number;
  readonly out?: string;
  readonly json?: true;
  readonly transform: boolean;
  readonly runs: number;
}

const batchSize = 64;

/** Tensors that the transform is fitted to, and the most bytes that they may take. */
const keptTensors = 512;
const maxKeptBytes = 1 << 28;

/** Adds the head's outputs for a batch. */
async function addBatch(
  head: Engine,
  batch: Tensor[],
  statistics: { add(tensor: Float32Array): void },
): Promise<void> {
  const results = await head.runBatch(batch);
  for (const [output] of results) {
    if (!(output?.data instanceof Float32Array)) {
      throw new ModelError("unsupported", `split: statistics need float32, the tensor is ${output?.dtype}`);
    }
    statistics.add(output.data);
  }
}

/** Adds to the statistics, and keeps some of the tensors, evenly spread over all. */
function keepSome(statistics: StatisticsAccumulator, elements: number, images: number) {
  const wanted = Math.max(1, Math.min(keptTensors, Math.floor(maxKeptBytes / elements / 4)));
  const kept: Float32Array[] = [];
  let added = 0;
  return {
    kept,
    add(tensor: Float32Array) {
      statistics.add(tensor);
      if (Math.floor((added * wanted) / images) >= kept.length && kept.length < wanted) kept.push(tensor);
      added++;
    },
  };
}

/** The statistics with the transform of the codec `sluice`. */
async function addTransform(
  statistics: CutStatistics,
  spec: TensorSpec,
  tensors: readonly Float32Array[],
  second: Network,
  options: CalibrateOptions,
  context: CliContext,
): Promise<CutStatistics> {
  const floats = { ...spec, dtype: "float32" } as const;
  const tail = await second.load({ threads: 1 });
  try {
    const transform = await calibrateTransform({
      ...{ spec: floats, statistics, tensors, maxRuns: options.runs },
      random: createSeededRandom(options.seed),
      async runTail(batch) {
        if (context.signal.aborted) throw interrupted();
        // The engine takes the tensors' memory for itself.
        const outputs = await tail.runBatch(batch.map((data) => ({ ...floats, data: data.slice() })));
        return outputs.map(([output]) => {
          if (output?.data instanceof Float32Array && output.data.length <= maxOutputs) return output.data;
          const found = `${output?.dtype} with ${output?.data.length} elements`;
          throw new ModelError(
            "unsupported",
            `output: importances need float32 with at most ${maxOutputs} elements, the first is ${found}; --no-transform does without`,
          );
        });
      },
      onProgress(done, total) {
        if (!context.isTty) return;
        context.stderr.write(
          `\rmeasuring what ${options.split} means to the output: ${done} of ${total} runs`,
        );
      },
    });
    return { ...statistics, transform };
  } finally {
    await tail.close();
    if (context.isTty) context.stderr.write("\r\u001b[K");
  }
}

/** The most elements of a model's first output, whose changes are multiplied with each other. */
const maxOutputs = 1 << 16;

function interrupted(): CliError {
  return new CliError(ExitCode.interrupted, "interrupted; no statistics were written");
}

/** Runs all images through the head. @throws CliError `interrupted` */
async function accumulate(
  head: Engine,
  images: AsyncIterable<Tensor>,
  statistics: { add(tensor: Float32Array): void },
  onProgress: (done: number) => void,
  signal: AbortSignal,
): Promise<void> {
  let done = 0;
  let batch: Tensor[] = [];
  const flush = async (): Promise<void> => {
    if (signal.aborted) throw interrupted();
    await addBatch(head, batch, statistics);
    done += batch.length;
    batch = [];
    onProgress(done);
  };
  for await (const image of images) {
    batch.push(image);
    if (batch.length === batchSize) await flush();
  }
  if (batch.length > 0) await flush();
}

/** Whole or not at all: a server may be reading. */
async function writeWhole(path: string, text: string): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  const draft = `${path}.${process.pid}.tmp`;
  await writeFile(draft, text);
  await rename(draft, path);
}

async function calibrate(reference: string, options: CalibrateOptions, context: CliContext): Promise<void> {
  const model = await loadModel(reference);
  if (model.inputs.length > 1) {
    const names = model.inputs.map(({ name }) => `"${name}"`).join(", ");
    throw new ModelError(
      "unsupported",
      `model "${reference}": has ${model.inputs.length} inputs (${names}), and images feed one; statistics are of models with one input`,
    );
  }
  const split = await model.network.split(options.split);
  const spec = specOf(split.cut);
  const { shape, layout } = spec;
  const statistics = createStatisticsAccumulator(options.split, shape, layout, { neighbours: true });
  const images = await openCalibrationImages(options.images, model, options.limit, options.seed);
  const onProgress = (done: number): void => {
    if (context.isTty)
      context.stderr.write(`\rcalibrating ${options.split}: ${done} of ${images.count} images`);
  };
  const some = keepSome(statistics, elementCount(shape), images.count);
  // One thread: how sums are divided among threads must not show in the result.
  const head = await split.head.load({ threads: 1 });
  try {
    await accumulate(head, images, some, onProgress, context.signal);
  } finally {
    await head.close();
    if (context.isTty) context.stderr.write("\r\u001b[K");
  }
  const measured = statistics.finish();
  const gathered = options.transform
    ? await addTransform(measured, spec, some.kept, split.tail, options, context)
    : measured;
  const text = `${JSON.stringify(encodeStatistics(gathered, "float16"))}\n`;
  const path = options.out ?? statisticsPath(model, options.split);
  await writeWhole(path, text);
  const { samples, channelMean } = gathered;
  context.stdout.write(
    options.json
      ? `${JSON.stringify({ event: "calibrated", model: model.name, split: options.split, shape, channels: channelMean.length, samples, path, bytes: text.length })}\n`
      : `${options.split}: ${samples} images, ${shape.join("x")}, ${formatBytes(text.length)} in ${path}\n`,
  );
}

/** Registers `sluice calibrate`. */
export function registerCalibrate(program: Command, context: CliContext): void {
  addModelArgument(program.command("calibrate"), modelHelp)
    .description("Measure a tensor on training images: what coding and concealing it need to know.")
    .requiredOption("--split <tensor>", "the tensor (`sluice inspect` lists them)")
    .requiredOption(
      "--images <path>",
      "a folder of images, an image, or an idx file (MNIST's form, .gz or not)",
    )
    .option("--limit <n>", "the most images to use", (text) => parseCount(text, "--limit"), 10_000)
    .option(
      "--seed <n>",
      "which images, where there are more than the limit",
      (text) => parseCount(text, "--seed", 0, 2 ** 32 - 1),
      1,
    )
    .option(
      "--runs <n>",
      "the most runs of the second half that measuring importances takes",
      (text) => parseCount(text, "--runs"),
      8192,
    )
    .option("--no-transform", "leave out what the codec sluice needs; the second half is then not run")
    .option("--out <file>", "where to write (default: statistics/<tensor>.json beside the model)")
    .option("--json", "print one JSON object")
    .addHelpText(
      "after",
      `
Use training images, never those that accuracy is measured on. The first half of the model runs once for each image.
What its errors mean to the output is then measured by the second half alone: --runs runs, and some 1,500 more to find
the step that costs little.

Examples:
  $ sluice calibrate fashion --split add_3 --images /usr/share/datasets/fashion-mnist/train-images-idx3-ubyte.gz
  $ sluice calibrate mobilenet.onnx --split add_3 --images photos/ --limit 2000`,
    )
    .action((model: string | undefined, options: CalibrateOptions, command: Command) =>
      calibrate(readModelArgument(model, command), options, context),
    );
}
