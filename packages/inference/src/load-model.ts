import { readFile } from "node:fs/promises";
import { basename, dirname, extname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { type CutStatistics, decodeStatistics } from "@sluice/tensor";
import { bundledNetwork } from "./bundled-network.js";
import { nearestNames } from "./graph/nearest-names.js";
import type { InputSizes } from "./input-sizes.js";
import { readLabels } from "./labels.js";
import type { Model, ModelInput } from "./model.js";
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
import { isImage, withImageLayout } from "./tensor-info.js";
import { openTfjsNetwork } from "./tfjs/tfjs-network.js";

/** What the caller knows better than the defaults. */
export interface LoadModelOptions {
  /** A file that {@link readLabels} takes. */
  readonly labelsPath?: string;
  readonly preprocess?: Preprocess;
  /**
   * Leaves a network as it is, which takes a tensor for each of its inputs, and its halves one for each that crosses. Default: it
   * becomes one that takes all of them as one tensor, a bundle ({@link bundledNetwork}), as a frame carries them.
   */
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

/** The inputs of a network, with how pixels become those that are images. */
function describeInputs(network: Network, given: Preprocess | undefined): readonly ModelInput[] {
  if (network.inputs.length === 0) throw new ModelError("unsupported", "has no input");
  const origin = network.engine === "tfjs" ? "tensorflow" : "any";
  return network.inputs.map((info) => {
    const input = withImageLayout(info);
    return { ...input, preprocess: given ?? defaultPreprocess(input, origin) };
  });
}

/** A network as it is used, and what it takes. */
function openInputs(network: Network, severalInputs: boolean): Pick<Model, "network" | "input"> {
  if (severalInputs) return { network, input: withImageLayout(network.inputs[0]!) };
  const bundled = bundledNetwork(network);
  return { network: bundled, input: withImageLayout(bundled.inputs[0]!) };
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
  const given = options.preprocess ?? (embedded ? preprocessPresets.none : undefined);
  const { inputs, network, input } = await named(path, async () => {
    const found = await open();
    const inputs = describeInputs(found, given);
    return { inputs, ...openInputs(found, options.severalInputs ?? false) };
  });
  const labelsPath = options.labelsPath ?? (embedded ? join(fashionDirectory, "labels.json") : undefined);
  return {
    ...{ name, network, input, inputs, hash: network.hash },
    labels: labelsPath === undefined ? [] : await readLabels(labelsPath),
    defaultCut: embedded ? fashionDefaultCut : undefined,
    preprocess: (inputs.find(isImage) ?? inputs[0]!).preprocess,
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
