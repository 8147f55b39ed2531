import { stat } from "node:fs/promises";
import { extname, join } from "node:path";
import { refuseForeign } from "./foreign-model.js";
import type { InputSizes } from "./input-sizes.js";
import { ModelError } from "./model-error.js";

/** A model's file, which of the two formats it is in, and what its reference says about its inputs. */
export interface ModelPath {
  readonly format: "onnx" | "tfjs";
  /** Of an .onnx file or of a model.json. */
  readonly path: string;
  readonly sizes: InputSizes | undefined;
}

async function isDirectory(path: string): Promise<boolean> {
  return stat(path).then(
    (status) => status.isDirectory(),
    () => false,
  );
}

/** `SIZExSIZE` or `NAME=SIZE,NAME=SIZE`; undefined for what is neither. */
function parseSizes(text: string): InputSizes | undefined {
  if (/^\d{1,9}(?:x\d{1,9})*$/.test(text)) return text.split("x").map(Number);
  if (!/^[^=]+=\d{1,9}(?:,[^=]+=\d{1,9})*$/.test(text)) return undefined;
  const pairs = text.matchAll(/(?:^|,)([^=]+)=(\d+)/g);
  return new Map([...pairs].map(([, name, size]) => [name!, Number(size)] as const));
}

/** What a path without sizes behind it is. */
async function formatOf(path: string): Promise<Omit<ModelPath, "sizes"> | undefined> {
  const ending = extname(path).toLowerCase();
  if (ending === ".onnx") return { format: "onnx", path };
  if (ending === ".json") return { format: "tfjs", path };
  return (await isDirectory(path)) ? { format: "tfjs", path: join(path, "model.json") } : undefined;
}

/**
 * Reads what names a model's file: its path, and behind a colon sizes that its inputs leave open.
 * @returns undefined for what is no path of a model
 * @throws ModelError `unknown-name` for sizes that cannot be read, `unsupported` for a file or a folder of another format
 */
export async function readModelPath(reference: string): Promise<ModelPath | undefined> {
  for (let at = reference.indexOf(":"); at >= 0; at = reference.indexOf(":", at + 1)) {
    const found = await formatOf(reference.slice(0, at));
    if (found === undefined) continue;
    const text = reference.slice(at + 1);
    const sizes = parseSizes(text);
    if (sizes !== undefined) return { ...found, sizes };
    throw new ModelError(
      "unknown-name",
      `model "${reference.slice(0, at)}": sizes "${text}": must be those of its input without the batch axis, as in 3x224x224, ` +
        "or of axes by their names, as in seq=128,rows=64",
    );
  }
  const found = await formatOf(reference);
  if (found?.format !== "onnx") await refuseForeign(reference);
  return found && { ...found, sizes: undefined };
}
