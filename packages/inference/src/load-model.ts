import { readFile } from "node:fs/promises";
import { basename, dirname, extname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { type CutStatistics, decodeStatistics } from "@sluice/tensor";
import { nearestNames } from "./graph/nearest-names.js";
import type { InputSizes } from "./input-sizes.js";
import { readLabels } from "./labels.js";
import type { Model } from "./model.js";
import { ModelError } from "./model-error.js";
import { readModelPath } from "./model-path.js";
import type { Network } from "./network.js";
import { loadOcr } from "./ocr/load-ocr.js";
import { createOnnxNetwork } from "./onnx-network.js";
import { defaultPreprocess, type Preprocess, preprocessPresets } from "./preprocess.js";
import { readOnnxFile } from "./read-model-file.js";
import { isRemoteUrl, parseRemoteUrl } from "./remote/model-url.js";
import type { RemoteOptions } from "./remote/remote-model.js";
import { openRemoteNetwork } from "./remote/remote-network.js";
import { type TensorInfo, withImageLayout } from "./tensor-info.js";
import { openTfjsNetwork } from "./tfjs/tfjs-network.js";

/** What the caller knows better than the defaults. */
export interface LoadModelOptions {
  /** A file that {@link readLabels} takes. */
  readonly labelsPath?: string;
  readonly preprocess?: Preprocess;
  /** Takes a network with several inputs, too: it can be described, cut and run, but no source feeds it. */
  readonly severalInputs?: boolean;
  /** How a server is asked that runs the model. */
  readonly remote?: RemoteOptions;
  /** Takes one line about what runs the model, where that was to be found out. */
  readonly onLog?: (line: string) => void;
}

/** The embedded model: Fashion-MNIST, 28x28 grey pixels into ten kinds of clothing. */
export const embeddedModels = ["fashion"] as const;

/** Where `fashion` is cut: the second residual sum of 14x14x64, with 59 % of the multiply-adds before it. */
export const fashionDefaultCut = "add_3";

/** The folder of the embedded model with its labels, statistics and test images. */
export const fashionDirectory = fileURLToPath(new URL("../models/fashion/", import.meta.url));

/** Puts the model's name before what is wrong with it. */
async function named<T>(path: string, open: () => T | Promise<T>): Promise<T> {
  try {
    return await open();
  } catch (cause) {
    if (!(cause instanceof ModelError)) throw cause;
    throw new ModelError(cause.kind, `model "${path}": ${cause.message}`, { cause });
  }
}

function firstInput(inputs: readonly TensorInfo[], severalInputs: boolean): TensorInfo {
  const [input, ...others] = inputs;
  if (input === undefined) throw new ModelError("unsupported", "has no input");
  if (others.length > 0 && !severalInputs) {
    const names = inputs.map(({ name }) => `"${name}"`).join(", ");
    throw new ModelError(
      "unsupported",
      `has ${inputs.length} inputs (${names}), and one is fed here; \`sluice inspect\` lists where such a model can be ` +
        "cut, `sluice serve` runs what comes after a cut, and a program gives the first half all inputs",
    );
  }
  return withImageLayout(input);
}

/** What a reference means: the model's name, its folder and how it is opened. */
interface Resolved {
  readonly name: string;
  readonly path: string;
  open(): Promise<Network>;
}

async function resolveReference(reference: string, { onLog, remote }: LoadModelOptions): Promise<Resolved> {
  const openOnnx = (path: string, sizes?: InputSizes) => async () =>
    createOnnxNetwork(await readOnnxFile(path, sizes));
  if (reference === "fashion") {
    const path = join(fashionDirectory, "fashion.onnx");
    return { name: reference, path, open: openOnnx(path) };
  }
  if (isRemoteUrl(reference)) {
    const { model } = parseRemoteUrl(reference);
    return { name: model, path: reference, open: () => openRemoteNetwork(reference, remote) };
  }
  const found = await readModelPath(reference);
  if (found !== undefined) {
    const { format, path, sizes } = found;
    const file = basename(path, extname(path));
    if (format === "onnx") return { name: file, path, open: openOnnx(path, sizes) };
    // Nearly all are called model.json; the folder tells them apart.
    const name = file === "model" ? basename(dirname(resolve(path))) : file;
    const options = { ...(onLog ? { onLog } : {}), ...(sizes ? { sizes } : {}) };
    return { name, path, open: () => openTfjsNetwork(path, options) };
  }
  const near = nearestNames(reference, embeddedModels, 1)[0];
  throw new ModelError(
    "unknown-name",
    `model "${reference}": is neither an embedded model ("${near}") nor a path that ends in .onnx, nor the folder or ` +
      "the model.json of a TensorFlow.js model, nor the address of a model at a server",
  );
}

/**
 * Reads a model.
 * @param reference `fashion` for the embedded one, `ocr` for the optional reader of text lines, or a path: of an .onnx
 *   file, of the model.json of a TensorFlow.js model or of its folder, where `PATH:3x224x224` fixes sizes that its input leaves open
 *   and `PATH:seq=128` those of any inputs by the names of their axes; or the address of a model at a server of the Open Inference Protocol
 * @throws ModelError `unknown-name`, `not-found`, `unreadable`, `too-large`, `not-onnx`, `not-tfjs`, `unsupported`
 * @throws EngineError where TensorFlow.js is needed and not there, or refuses the model
 */
export async function loadModel(reference: string, options: LoadModelOptions = {}): Promise<Model> {
  if (reference === "ocr") return loadOcr();
  const embedded = reference === "fashion";
  const { name, path, open } = await resolveReference(reference, options);
  const { network, input } = await named(path, async () => {
    const network = await open();
    return { network, input: firstInput(network.inputs, options.severalInputs ?? false) };
  });
  const origin = network.engine === "tfjs" ? "tensorflow" : "any";
  const labelsPath = options.labelsPath ?? (embedded ? join(fashionDirectory, "labels.json") : undefined);
  return {
    ...{ name, network, input, hash: network.hash },
    labels: labelsPath === undefined ? [] : await readLabels(labelsPath),
    defaultCut: embedded ? fashionDefaultCut : undefined,
    preprocess: options.preprocess ?? (embedded ? preprocessPresets.none : defaultPreprocess(input, origin)),
    // A model at a server has no files here.
    directory: network.engine === "remote" ? "." : dirname(path),
  };
}

/** The file that holds the statistics of a cut: `statistics/<cut>.json` beside the model. */
export function statisticsPath(model: Pick<Model, "directory">, cut: string): string {
  // Exporters name tensors like paths: /layer1/Add_output_0.
  return join(model.directory, "statistics", `${encodeURIComponent(cut)}.json`);
}

/**
 * Reads the statistics of a cut that `sluice calibrate` left beside the model; undefined where there are none.
 * @throws ModelError `unreadable` where the file is not what it must be
 */
export async function readStatistics(
  model: Pick<Model, "directory">,
  cut: string,
): Promise<CutStatistics | undefined> {
  const path = statisticsPath(model, cut);
  let text: string;
  try {
    text = await readFile(path, "utf8");
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw new ModelError("unreadable", `statistics "${path}": cannot be read`, { cause });
  }
  try {
    return decodeStatistics(JSON.parse(text));
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new ModelError("unreadable", `statistics "${path}": ${reason}`, { cause });
  }
}
