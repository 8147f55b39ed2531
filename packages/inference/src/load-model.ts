import { readFile, stat } from "node:fs/promises";
import { basename, dirname, extname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { type CutStatistics, decodeStatistics } from "@sluice/tensor";
import { readLabels } from "./labels.js";
import { ModelError } from "./model-error.js";
import { maxModelBytes, type OnnxModel, parseModel, requiredInputs } from "./onnx/model.js";
import { nearestNames } from "./onnx/nearest-names.js";
import { defaultPreprocess, type Preprocess, preprocessPresets } from "./preprocess.js";
import { describeValue, type TensorInfo, withImageLayout } from "./tensor-info.js";

/** A model that was read, and what is known about its use. */
export interface Model {
  readonly name: string;
  /** The ONNX model. */
  readonly bytes: Uint8Array;
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

async function readModelFile(path: string): Promise<Uint8Array> {
  let size: number;
  try {
    const status = await stat(path);
    if (!status.isFile()) throw new ModelError("unreadable", `model "${path}": is not a file`);
    size = status.size;
  } catch (cause) {
    if (cause instanceof ModelError) throw cause;
    const missing = (cause as NodeJS.ErrnoException).code === "ENOENT";
    if (missing) throw new ModelError("not-found", `model "${path}": there is no such file`, { cause });
    throw new ModelError("unreadable", `model "${path}": cannot be read`, { cause });
  }
  if (size > maxModelBytes) {
    throw new ModelError("too-large", `model "${path}": ${size} bytes, at most ${maxModelBytes} are allowed`);
  }
  try {
    return await readFile(path);
  } catch (cause) {
    throw new ModelError("unreadable", `model "${path}": cannot be read`, { cause });
  }
}

function parseNamed(path: string, bytes: Uint8Array): OnnxModel {
  try {
    return parseModel(bytes);
  } catch (cause) {
    if (!(cause instanceof ModelError)) throw cause;
    throw new ModelError(cause.kind, `model "${path}": ${cause.message}`, { cause });
  }
}

function singleInput(path: string, model: OnnxModel): TensorInfo {
  const external = model.graph.initializers.find((initializer) => initializer.external);
  if (external !== undefined) {
    const message = `weights "${external.name}" lie in another file; save the model as one file`;
    throw new ModelError("unsupported", `model "${path}": ${message}`);
  }
  const inputs = requiredInputs(model.graph);
  if (inputs.length !== 1) {
    throw new ModelError("unsupported", `model "${path}": has ${inputs.length} inputs, one is supported`);
  }
  return withImageLayout(describeValue(inputs[0]!));
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
  const input = singleInput(path, parseNamed(path, bytes));
  const labelsPath = options.labelsPath ?? (embedded ? join(fashionDirectory, "labels.json") : undefined);
  return {
    name: embedded ? reference : basename(path, extname(path)),
    bytes,
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
