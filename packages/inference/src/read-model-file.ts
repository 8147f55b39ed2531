import { open, readFile, stat } from "node:fs/promises";
import { dirname, join } from "node:path";
import { tellForeign } from "./foreign-model.js";
import type { InputSizes } from "./input-sizes.js";
import { ModelError } from "./model-error.js";
import { hasExternalWeights, type WeightsLocation, withEmbeddedWeights } from "./onnx/external-weights.js";
import { withInputSizes } from "./onnx/input-shape.js";
import { encodeModel, maxModelBytes, type OnnxModel, parseModel } from "./onnx/model.js";

/**
 * Reads a model's file whole.
 * @throws ModelError `not-found`, `unreadable`, `too-large` over {@link maxModelBytes}
 */
export async function readModelFile(path: string): Promise<Uint8Array> {
  let size: number;
  try {
    const status = await stat(path);
    if (!status.isFile()) throw new ModelError("unreadable", "is not a file");
    size = status.size;
  } catch (cause) {
    if (cause instanceof ModelError) throw cause;
    const missing = (cause as NodeJS.ErrnoException).code === "ENOENT";
    if (missing) throw new ModelError("not-found", "there is no such file", { cause });
    throw new ModelError("unreadable", "cannot be read", { cause });
  }
  if (size > maxModelBytes) {
    throw new ModelError("too-large", `${size} bytes, at most ${maxModelBytes} are allowed`);
  }
  try {
    return await readFile(path);
  } catch (cause) {
    throw new ModelError("unreadable", "cannot be read", { cause });
  }
}

async function readWeights(
  folder: string,
  { location, offset, length }: WeightsLocation,
): Promise<Uint8Array> {
  const path = join(folder, location);
  const file = await open(path).catch((cause: NodeJS.ErrnoException) => {
    const missing = cause.code === "ENOENT";
    const what = missing ? "there is no such file beside the model" : "cannot be read";
    throw new ModelError(missing ? "not-found" : "unreadable", `weights "${location}": ${what}`, { cause });
  });
  try {
    const { size } = await file.stat();
    const wanted = length ?? size - offset;
    if (wanted < 0 || offset + wanted > size) {
      const place = `${wanted} bytes at ${offset}`;
      throw new ModelError(
        "unreadable",
        `weights "${location}": has ${size} bytes, the model wants ${place}`,
      );
    }
    if (wanted > maxModelBytes) {
      throw new ModelError("too-large", `weights "${location}": over ${maxModelBytes} bytes`);
    }
    const bytes = new Uint8Array(wanted);
    let filled = 0;
    while (filled < wanted) {
      const { bytesRead } = await file.read(bytes, filled, wanted - filled, offset + filled);
      if (bytesRead === 0) throw new ModelError("unreadable", `weights "${location}": ended early`);
      filled += bytesRead;
    }
    return bytes;
  } finally {
    await file.close();
  }
}

/** @throws ModelError that says what the file is instead, where that can be told */
async function parseFile(path: string, bytes: Uint8Array): Promise<OnnxModel> {
  try {
    return parseModel(bytes);
  } catch (cause) {
    if (!(cause instanceof ModelError)) throw cause;
    const told = await tellForeign(path);
    if (told !== undefined) throw new ModelError("not-onnx", told, { cause });
    const cut = / runs past the end/.test(cause.message) ? "; the file may have been cut short" : "";
    throw new ModelError(cause.kind, `is no ONNX file: ${cause.message}${cut}`, { cause });
  }
}

/**
 * Reads an ONNX model with the weights that lie in files beside it, as one.
 * @param sizes that its inputs leave open
 * @throws ModelError as {@link readModelFile}, `not-onnx`, `unsupported` for weights outside the model's folder
 */
export async function readOnnxFile(path: string, sizes?: InputSizes): Promise<Uint8Array> {
  const bytes = await readModelFile(path);
  const model = await parseFile(path, bytes);
  const isSplit = hasExternalWeights(model);
  const whole = isSplit
    ? await withEmbeddedWeights(model, (place) => readWeights(dirname(path), place))
    : model;
  if (sizes !== undefined) return withInputSizes(whole, sizes);
  return isSplit ? encodeModel(whole) : bytes;
}
