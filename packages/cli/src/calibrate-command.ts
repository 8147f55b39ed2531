import { mkdir, rename, writeFile } from "node:fs/promises";
import { dirname } from "node:path";
import {
  describeValue,
  type Engine,
  loadModel,
  loadOnnxruntime,
  ModelError,
  specOf,
  splitModel,
  statisticsPath,
} from "@sluice/inference";
import {
  createStatisticsAccumulator,
  encodeStatistics,
  type StatisticsAccumulator,
  type Tensor,
} from "@sluice/tensor";
import type { Command } from "commander";
import { openCalibrationImages } from "./calibration-images.js";
import type { CliContext } from "./cli-context.js";
import { CliError } from "./cli-error.js";
import { ExitCode } from "./exit-codes.js";
import { formatBytes } from "./format-table.js";
import { parseCount } from "./parse-count.js";

interface CalibrateOptions {
  readonly split: string;
  readonly images: string;
  readonly limit: number;
  readonly seed: number;
  readonly out?: string;
  readonly json?: true;
}

const batchSize = 64;

/** Adds the head's outputs for a batch. */
async function addBatch(head: Engine, batch: Tensor[], statistics: StatisticsAccumulator): Promise<void> {
  const results = await head.runBatch(batch);
  for (const [output] of results) {
    if (!(output?.data instanceof Float32Array)) {
      throw new ModelError("unsupported", `split: statistics need float32, the tensor is ${output?.dtype}`);
    }
    statistics.add(output.data);
  }
}

/** Runs all images through the head. @throws CliError `interrupted` */
async function accumulate(
  head: Engine,
  images: AsyncIterable<Tensor>,
  statistics: StatisticsAccumulator,
  onProgress: (done: number) => void,
  signal: AbortSignal,
): Promise<void> {
  let done = 0;
  let batch: Tensor[] = [];
  const flush = async (): Promise<void> => {
    if (signal.aborted) throw new CliError(ExitCode.interrupted, "interrupted; no statistics were written");
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
  const split = await splitModel(model.bytes, options.split);
  const { shape, layout } = specOf(describeValue(split.cut));
  const statistics = createStatisticsAccumulator(options.split, shape, layout, { neighbours: true });
  const images = await openCalibrationImages(options.images, model, options.limit, options.seed);
  const onProgress = (done: number): void => {
    if (context.isTty)
      context.stderr.write(`\rcalibrating ${options.split}: ${done} of ${images.count} images`);
  };
  // One thread: how sums are divided among threads must not show in the result.
  const head = await loadOnnxruntime(split.head, { threads: 1 });
  try {
    await accumulate(head, images, statistics, onProgress, context.signal);
  } finally {
    await head.close();
    if (context.isTty) context.stderr.write("\r\u001b[K");
  }
  const gathered = statistics.finish();
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
  program
    .command("calibrate")
    .description("Measure a tensor on training images: what quantizing and concealing it need to know.")
    .argument("<model>", "fashion (embedded), or the path of an .onnx file")
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
    .option("--out <file>", "where to write (default: statistics/<tensor>.json beside the model)")
    .option("--json", "print one JSON object")
    .addHelpText(
      "after",
      `
Use training images, never those that accuracy is measured on.

Examples:
  $ sluice calibrate fashion --split add_3 --images /usr/share/datasets/fashion-mnist/train-images-idx3-ubyte.gz
  $ sluice calibrate mobilenet.onnx --split add_3 --images photos/ --limit 2000`,
    )
    .action((model: string, options: CalibrateOptions) => calibrate(model, options, context));
}
