/** Tensors from files: arrays of NumPy, and bytes as they are. */
import { readdir, readFile, stat } from "node:fs/promises";
import { extname, join } from "node:path";
import { bytesPerElement, elementCount, type Tensor } from "@sluice/tensor";
import { ModelError } from "../model-error.js";
import { quoteAll } from "../quote-all.js";
import { specOf, type TensorInfo } from "../tensor-info.js";
import type { CountedImageSource, ImageSource, LabelledImage } from "./labelled-image.js";
import { decodeNpy, tensorsOfArray } from "./npy.js";
import { readNpz } from "./npz.js";
import { openRawTensors } from "./raw-tensors.js";

/** The most bytes of a file that is read whole. */
const maxFileBytes = 1 << 28;

async function readWhole(path: string): Promise<Uint8Array> {
  const { size } = await stat(path).catch(() => {
    throw new ModelError("not-found", `source: there is no file or folder ${path}`);
  });
  if (size > maxFileBytes)
    throw new ModelError("too-large", `"${path}": ${size} bytes, at most ${maxFileBytes} are allowed`);
  return readFile(path);
}

/** The files of a kind that a path means: itself, or those in a folder, in order; empty where it means others. */
export async function arrayFiles(path: string, ending: ".npy" | ".npz"): Promise<readonly string[]> {
  if (extname(path).toLowerCase() === ending) return [path];
  const names = await readdir(path).catch(() => []);
  return names
    .filter((name) => extname(name).toLowerCase() === ending)
    .sort()
    .map((name) => join(path, name));
}

function unlabelled(name: string, image: Tensor): LabelledImage {
  return { name, image, pixels: undefined, label: undefined };
}

/** Frames in turn; those of one file are at hand at once. */
function fromFiles(
  files: readonly string[],
  read: (path: string) => Promise<readonly Tensor[]>,
  firstOf: readonly Tensor[],
): ImageSource {
  const frames = async function* (): AsyncGenerator<LabelledImage> {
    for (const [f, path] of files.entries()) {
      const tensors = f === 0 ? firstOf : await read(path);
      for (const [n, tensor] of tensors.entries()) yield unlabelled(`${path}#${n}`, tensor);
    }
  };
  return { count: files.length === 1 ? firstOf.length : undefined, [Symbol.asyncIterator]: frames };
}

/**
 * Tensors for an input from `.npy` files: of the input's shape, or several along a first axis.
 * @throws ModelError naming the file, for the first one now
 */
export async function openNpyFiles(files: readonly string[], input: TensorInfo): Promise<ImageSource> {
  const read = async (path: string) =>
    tensorsOfArray(decodeNpy(await readWhole(path), `"${path}"`), input, `"${path}"`);
  return fromFiles(files, read, await read(files[0]!));
}

/**
 * Tensors for an input from the arrays of its name in `.npz` files.
 * @throws ModelError naming the file, for the first one now: `unknown-name` where it has no such array
 */
export async function openNpzFiles(files: readonly string[], input: TensorInfo): Promise<ImageSource> {
  const read = async (path: string) => {
    const arrays = readNpz(await readWhole(path), `"${path}"`);
    const array = arrays.get(input.name);
    const what = `"${path}", array "${input.name}"`;
    if (array !== undefined) return tensorsOfArray(decodeNpy(array, what), input, what);
    const there = quoteAll([...arrays.keys()]) || "none";
    throw new ModelError(
      "unknown-name",
      `"${path}": has no array of the input's name "${input.name}"; there are: ${there}`,
    );
  };
  return fromFiles(files, read, await read(files[0]!));
}

/** The names of the arrays in a `.npz` file. @throws ModelError naming the file */
export async function arrayNames(path: string): Promise<readonly string[]> {
  return [...readNpz(await readWhole(path), `"${path}"`).keys()];
}

/** Tensors one behind the other in a file, little-endian, as they are. @throws ModelError naming the file where it holds a part of one */
export async function openRawFile(path: string, input: TensorInfo): Promise<CountedImageSource> {
  const spec = specOf(input);
  const bytes = await readWhole(path);
  const frameBytes = elementCount(spec.shape) * bytesPerElement[spec.dtype];
  if (bytes.length === 0 || bytes.length % frameBytes > 0) {
    throw new ModelError(
      "unsupported",
      `"${path}": has ${bytes.length} bytes, input "${input.name}" takes ${frameBytes} for each frame (${spec.dtype} [${spec.shape.join(", ")}])`,
    );
  }
  async function* pieces(): AsyncGenerator<Uint8Array> {
    yield bytes;
  }
  return {
    count: bytes.length / frameBytes,
    [Symbol.asyncIterator]: () => openRawTensors(pieces(), spec)[Symbol.asyncIterator](),
  };
}

/** One tensor with the same number everywhere. @throws ModelError where the input's type has not that number */
export function openFilled(value: number, input: TensorInfo): CountedImageSource {
  const { shape } = specOf(input);
  const numbers = new Array<number>(elementCount(shape)).fill(value);
  const [tensor] = tensorsOfArray({ kind: "f8", shape, numbers }, input, `source "${value}"`);
  return {
    count: 1,
    async *[Symbol.asyncIterator]() {
      yield unlabelled(String(value), tensor!);
    },
  };
}
