import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { basename, dirname, extname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { type CutStatistics, decodeStatistics } from "@sluice/tensor";
import { nearestNames } from "./graph/nearest-names.js";
import { readLabels } from "./labels.js";
import { ModelError } from "./model-error.js";
import type { Network } from "./network.js";
import { createOnnxNetwork } from "./onnx-network.js";
import { defaultPreprocess, type Preprocess, preprocessPresets } from "./preprocess.js";
import { readModelFile } from "./read-model-file.js";
import { type TensorInfo, withImageLayout } from "./tensor-info.js";

/** A model that was read, and what is known about its use. */
export interface Model {
  readonly name: string;
  /** What can be described, cut and loaded. */
  readonly network: Network;
  /** SHA-256 of its file; absent where that is not at hand. */
  readonly hash?: Uint8Array;
  readonly input: TensorInfo;
  /** Names of the classes, in the order of the output; empty where they are not known. */
  readonly labels: readonly string[];
  /** Where to cut unless told otherwise; undefined: nothing is recommended. */
  readonly defaultCut: string | undefined;
  /** How pixels become the model's input. */
  readonly preprocess: Preprocess;
  /** The folder that the model lies in. */
  readonly directory: string;
}

/** What the caller knows better than the defaults. */
export interface LoadModelOptions {
  /** A file that {@link readLabels} takes. */
  readonly labelsPath?: string;
  readonly preprocess?: Preprocess;
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

function singleInput(inputs: readonly TensorInfo[]): TensorInfo {
  const [input] = inputs;
  if (input === undefined || inputs.length !== 1) {
    throw new ModelError("unsupported", `has ${inputs.length} inputs, one is supported`);
  }
  return withImageLayout(input);
}

/**
 * Reads a model.
 * @param reference `fashion` for the embedded one, or a path to an .onnx file
 * @throws ModelError `unknown-name`, `not-found`, `unreadable`, `too-large`, `not-onnx`, `unsupported`
 */
export async function loadModel(reference: string, options: LoadModelOptions = {}): Promise<Model> {
  const embedded = reference === "fashion";
  if (!embedded && extname(reference).toLowerCase() !== ".onnx") {
    const near = nearestNames(reference, embeddedModels, 1)[0];
    throw new ModelError(
      "unknown-name",
      `model "${reference}": is neither an embedded model ("${near}") nor a path that ends in .onnx`,
    );
  }
  const path = embedded ? join(fashionDirectory, "fashion.onnx") : reference;
  const bytes = await readModelFile(path);
  const { network, input } = await named(path, () => {
    const network = createOnnxNetwork(bytes);
    return { network, input: singleInput(network.inputs) };
  });
  const labelsPath = options.labelsPath ?? (embedded ? join(fashionDirectory, "labels.json") : undefined);
  return {
    name: embedded ? reference : basename(path, extname(path)),
    network,
    hash: new Uint8Array(createHash("sha256").update(bytes).digest()),
    input,
    labels: labelsPath === undefined ? [] : await readLabels(labelsPath),
    defaultCut: embedded ? fashionDefaultCut : undefined,
    preprocess: options.preprocess ?? (embedded ? preprocessPresets.none : defaultPreprocess(input)),
    directory: dirname(path),
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
