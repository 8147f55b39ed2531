import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { calibrateTransform } from "@sluice/codec";
import {
  createSeededRandom,
  loadModel,
  preprocessPresets,
  readLabels,
  readStatistics,
} from "@sluice/inference";
import { createStatisticsAccumulator, decodeStatistics, elementCount } from "@sluice/tensor";
import { imagesBeside, openImages, takeImages } from "../accuracy/open-images.mjs";
import { findPreset } from "../accuracy/presets.mjs";
import { MissingData } from "../accuracy/run-command.mjs";
import { openSplitNetwork } from "../accuracy/split-network.mjs";

/** Tensors at the cut are kept for all chains; more than this is refused. */
const maxKeptBytes = 2 ** 31;

async function resolve(options) {
  const given = options.preset === undefined ? {} : findPreset(options.preset, options.data);
  if (given.missing) throw new MissingData(`preset ${options.preset}: skipped, ${given.missing}`);
  const labels = options.labels === undefined ? (given.labels ?? []) : await readLabels(options.labels);
  const preprocess = options.preprocess ?? given.preprocess;
  if (preprocess !== undefined && !Object.hasOwn(preprocessPresets, preprocess)) {
    throw new Error(
      `--preprocess: unknown "${preprocess}" (known: ${Object.keys(preprocessPresets).join(", ")})`,
    );
  }
  const model = await loadModel(options.model ?? given.model ?? "fashion", {
    ...(preprocess === undefined ? {} : { preprocess: preprocessPresets[preprocess] }),
  });
  const split = options.split ?? given.split ?? model.defaultCut;
  if (split === undefined)
    throw new Error(`--split: ${model.name} has no default; sluice inspect lists its cuts`);
  const images = options.images ?? given.images ?? (model.defaultCut ? "test-images" : undefined);
  if (images === undefined) throw new Error(`--images: ${model.name} brings none`);
  return { model, split, images, labels };
}

/** What the codec `sluice` needs beside means and deviations, by runs of the second half (`sluice calibrate`). */
function measureTransform({ spec, outputs }, statistics, tensors, { seed, runs }, signal) {
  const runTail = async (batch) => {
    signal.throwIfAborted();
    const results = await outputs(batch.map((data) => ({ ...spec, data })));
    return results.map(({ data }) => data);
  };
  const random = createSeededRandom(seed);
  return calibrateTransform({ spec, statistics, tensors, runTail, random, maxRuns: runs });
}

/** By default all chains are measured, the one that needs it too. */
const needsTransform = (codecs) => codecs?.some(({ text }) => /^\s*sluice\b/.test(text)) ?? true;

/** What calibration makes of tensors at the cut, by runs of the second half where a chain needs that. */
async function statisticsOf(network, tensors, { seed, runs, codecs }, signal) {
  const { cut, spec } = network;
  const gathered = createStatisticsAccumulator(cut, spec.shape, spec.layout, { neighbours: true });
  for (const data of tensors) gathered.add(data);
  const statistics = gathered.finish();
  if (!needsTransform(codecs)) return statistics;
  const transform = await measureTransform(network, statistics, tensors, { seed, runs }, signal);
  return { ...statistics, transform };
}

/** Statistics of the images that are set aside, and which these are. */
async function calibrate(images, network, { calibration, runs, codecs }, signal) {
  const { count, seed, measuredHere } = calibration;
  const taken = await takeImages(images, seed, count);
  const names = taken.map(({ name }) => name);
  const sha256 = createHash("sha256").update(names.join("\n")).digest("hex");
  const described = { count: names.length, seed, sha256, first: names.slice(0, 5) };
  if (!measuredHere) return { names, described };
  const tensors = [];
  await network.inBatches(taken, async (batch) => {
    signal.throwIfAborted();
    for (const { data } of await network.head(batch.map(({ image }) => image))) tensors.push(data);
  });
  return {
    names,
    described,
    statistics: await statisticsOf(network, tensors, { seed, runs, codecs }, signal),
  };
}

/**
 * Deals the images into halves in turn; each half is evaluated with what the other one calibrates.
 * @returns the statistics for each half, and each image with its `half`
 */
async function crossCalibrate(kept, network, options, signal) {
  const images = kept.map((image, i) => ({ ...image, half: i % 2 }));
  const halves = [];
  for (const half of [0, 1]) {
    const others = images.filter((image) => image.half !== half).map(({ tensor }) => tensor.data);
    halves.push(await statisticsOf(network, others, options, signal));
  }
  return { images, halves };
}

/** Runs the first half once for each image. @returns each with its tensor, its class without damage and its pixels */
async function keepHeads({ images, options, names, network, signal }) {
  const excluded = new Set(names);
  const kept = [];
  let batch = [];
  const flush = async () => {
    signal.throwIfAborted();
    const tensors = await network.head(batch.map(({ image }) => image));
    const classes = await network.tail(tensors);
    batch.forEach(({ name, label, pixels }, i) => {
      kept.push({ name, label, pixels, tensor: tensors[i], base: classes[i] });
    });
    batch = [];
  };
  for await (const image of imagesBeside(images, options.seed, options.limit, excluded)) {
    batch.push(image);
    if (batch.length === network.batchSize) await flush();
  }
  if (batch.length > 0) await flush();
  if (kept.length < 2) throw new Error("images: fewer than two are left");
  return kept;
}

async function chooseStatistics(options, model, split, calibrated) {
  if (calibrated !== undefined) return { statistics: calibrated, from: "images set aside here" };
  if (options.statistics !== undefined) {
    const statistics = decodeStatistics(JSON.parse(await readFile(options.statistics, "utf8")));
    return { statistics, from: "a file" };
  }
  const statistics = await readStatistics(model, split);
  return { statistics, from: statistics === undefined ? "none" : "beside the model" };
}

function checkKept({ limit }, images, network, model) {
  // A tensor of float32 for each image, and its pixels.
  const each = 4 * elementCount(network.spec.shape) + elementCount(model.input.shape);
  const bytes = Math.min(limit, images.count) * each;
  if (bytes > maxKeptBytes) {
    throw new Error(`--limit: ${limit} tensors take ${bytes} bytes, at most ${maxKeptBytes} are kept`);
  }
}

async function prepare({ model, split, labels, images: reference }, network, options, signal, keepsTensors) {
  const images = await openImages(reference, model, labels);
  try {
    const set = options.calibration ? await calibrate(images, network, options, signal) : { names: [] };
    const chosen = await chooseStatistics(options, model, split, set.statistics);
    if (keepsTensors) checkKept(options, images, network, model);
    const kept = keepsTensors ? await keepHeads({ images, options, names: set.names, network, signal }) : [];
    const crossed = options["cross-calibrate"]
      ? await crossCalibrate(kept, network, options, signal)
      : undefined;
    const { shape } = network.spec;
    const description = {
      ...{ model: model.name, split, shape, elements: elementCount(shape) },
      images: keepsTensors ? kept.length : Math.min(options.limit, images.count),
      ...{ of: images.count, seed: options.seed },
      statistics: crossed ? "each half of the images by those of the other" : chosen.from,
      statisticsSamples: (crossed?.halves[0] ?? chosen.statistics)?.samples ?? null,
      excluded: set.described ?? null,
    };
    const halves = crossed?.halves ?? [chosen.statistics];
    return { images: crossed?.images ?? kept, halves, statistics: halves[0], description };
  } finally {
    await images.close();
  }
}

/**
 * Everything that is the same for all chains: the two halves, the images with their tensors, the statistics; where images
 * have a `half`, the statistics for it are in `halves`, else all have the only ones there.
 * @param keepsTensors false: the experiment opens the images, which `source` names, by itself
 * @throws MissingData where a preset's files are not here
 */
export async function openWorkload(options, signal, { keepsTensors }) {
  const resolved = await resolve(options);
  const { model, split, images: reference, labels } = resolved;
  const network = await openSplitNetwork(model, split);
  try {
    const prepared = await prepare(resolved, network, options, signal, keepsTensors);
    return { model, network, source: { reference, labels }, ...prepared, close: network.close };
  } catch (error) {
    await network.close();
    throw error;
  }
}
