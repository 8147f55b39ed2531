import { readFile, stat } from "node:fs/promises";
import { ModelError } from "./model-error.js";
import { maxModelBytes } from "./onnx/model.js";

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
