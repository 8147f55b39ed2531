import { readdir, readFile, stat } from "node:fs/promises";
import { basename, dirname, extname, join, relative, sep } from "node:path";
import type { Tensor } from "@sluice/tensor";
import { glob } from "tinyglobby";
import { decodeImage } from "../decode-image.js";
import { parseClassIndex, parseTable } from "../labels.js";
import { ModelError } from "../model-error.js";
import { imageSizeOf, type Preprocess, preparePixels } from "../preprocess.js";
import type { TensorInfo } from "../tensor-info.js";
import type { CountedImageSource } from "./labelled-image.js";
import { orderOf } from "./seeded-random.js";

const imageKinds = new Set([".jpg", ".jpeg", ".png", ".webp", ".avif", ".gif", ".tif", ".tiff"]);

/** The most images of a folder, and the most bytes of a file that is opened. */
const maxImages = 1 << 21;
const maxFileBytes = 1 << 28;

async function listImages(directory: string): Promise<string[]> {
  const entries = await readdir(directory, { recursive: true, withFileTypes: true });
  // Node 20 before 20.12 knows the folder by its older name.
  const paths = entries
    .filter((entry) => entry.isFile() && imageKinds.has(extname(entry.name).toLowerCase()))
    .map((entry) => relative(directory, join(entry.parentPath ?? entry.path, entry.name)));
  return checkCount(paths, `below ${directory}`);
}

function checkCount(paths: string[], where: string): string[] {
  if (paths.length === 0) throw new ModelError("not-found", `images: there are none ${where}`);
  if (paths.length > maxImages) {
    throw new ModelError("too-large", `images: ${paths.length} ${where}, at most ${maxImages} are allowed`);
  }
  return paths.sort();
}

/** The class of a path, from `labels.tsv` (columns `file` and `index`) in the folder or the one above it. */
async function readLabelTable(directory: string): Promise<ReadonlyMap<string, number> | undefined> {
  for (const path of [join(directory, "labels.tsv"), join(dirname(directory), "labels.tsv")]) {
    let text: string;
    try {
      text = await readFile(path, "utf8");
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === "ENOENT") continue;
      throw new ModelError("unreadable", `labels: cannot read ${path}`, { cause: error });
    }
    const rows = parseTable(text);
    if (rows[0] !== undefined && (rows[0].file === undefined || rows[0].index === undefined)) {
      throw new ModelError("unreadable", `${path}: must have the columns "file" and "index"`);
    }
    return new Map(rows.map((row) => [row.file ?? "", parseClassIndex(row.index, path)]));
  }
  return undefined;
}

/** What is alike in the ways people write a class: "T-shirt/top", "t_shirt_top". */
function normalized(label: string): string {
  return label.toLowerCase().replace(/[^\p{L}\p{N}]+/gu, "_");
}

async function labeller(
  directory: string,
  labels: readonly string[],
): Promise<(path: string) => number | undefined> {
  const table = await readLabelTable(directory);
  const classes = new Map(labels.map((label, index) => [normalized(label), index]));
  return (path) => {
    const listed = table?.get(path.split(sep).join("/")) ?? table?.get(basename(path));
    if (listed !== undefined) return listed;
    const folder = basename(dirname(join(directory, path)));
    return classes.get(normalized(folder));
  };
}

async function readImage(path: string, name: string): Promise<Uint8Array> {
  try {
    const { size } = await stat(path);
    if (size <= maxFileBytes) return await readFile(path);
    throw new ModelError("too-large", `image "${name}": ${size} bytes, at most ${maxFileBytes} are allowed`);
  } catch (cause) {
    // Gone since it was found, or not to be read by this user.
    throw cause instanceof ModelError
      ? cause
      : new ModelError("unreadable", `image "${name}": ${(cause as Error).message}`, { cause });
  }
}

/** How images of a folder are opened. */
export interface ImageFileOptions {
  /** Names of the classes, in the order of their indices. */
  readonly labels?: readonly string[];
  /** Shuffles them. */
  readonly seed?: number;
  /**
   * Is told of an image that cannot be read, in each iteration, and the image is left out. Where there is none left, and
   * by default, the iteration throws.
   */
  readonly onUnreadable?: (error: ModelError) => void;
}

/**
 * An image file, or all images below a folder sorted by path (shuffled with a seed). The true class comes from
 * `labels.tsv` in the folder or beside it, else from the name of the folder that an image lies in where `labels` has
 * that name.
 * @throws ModelError `not-found`, `unreadable`; while iterating `unreadable` naming the image
 */
export async function openImageFiles(
  path: string,
  input: TensorInfo,
  preprocess: Preprocess,
  options: ImageFileOptions = {},
): Promise<CountedImageSource> {
  let isFolder: boolean;
  try {
    isFolder = (await stat(path)).isDirectory();
  } catch (cause) {
    throw new ModelError("not-found", `images: there is no file or folder ${path}`, { cause });
  }
  const directory = isFolder ? path : dirname(path);
  const names = isFolder ? await listImages(path) : [basename(path)];
  return openNamed(directory, names, input, preprocess, options);
}

/**
 * The image files that a pattern names (`*`, `**`, `?`, `[a-z]`, `{jpg,png}`), sorted by path; else as {@link openImageFiles}.
 * @throws ModelError `not-found` where there are none
 */
export async function openImageGlob(
  pattern: string,
  input: TensorInfo,
  preprocess: Preprocess,
  options: ImageFileOptions = {},
): Promise<CountedImageSource> {
  // What stands before the first part with a special character is the folder.
  const parts = pattern.split("/");
  const fixed = parts.findIndex((part) => /[*?[{]/.test(part));
  const directory = parts.slice(0, fixed).join("/") || (pattern.startsWith("/") ? "/" : ".");
  const found = await glob(parts.slice(fixed).join("/"), { cwd: directory, expandDirectories: false });
  const names = checkCount(
    found.filter((name) => imageKinds.has(extname(name).toLowerCase())),
    `that match ${pattern}`,
  );
  return openNamed(directory, names, input, preprocess, options);
}

async function openNamed(
  directory: string,
  names: readonly string[],
  input: TensorInfo,
  preprocess: Preprocess,
  options: ImageFileOptions,
): Promise<CountedImageSource> {
  const size = imageSizeOf(input);
  const labelOf = await labeller(directory, options.labels ?? []);
  return {
    count: names.length,
    async *[Symbol.asyncIterator]() {
      let failure: ModelError | undefined;
      let given = 0;
      for (const index of orderOf(names.length, options.seed)) {
        const name = names[index]!;
        let pixels: Tensor<"uint8">;
        try {
          pixels = await decodeImage(
            await readImage(join(directory, name), name),
            size,
            preprocess.resize,
            name,
          );
        } catch (error) {
          if (!options.onUnreadable || !(error instanceof ModelError)) throw error;
          failure = error;
          options.onUnreadable(error);
          continue;
        }
        given++;
        yield { name, image: preparePixels(pixels, input, preprocess), pixels, label: labelOf(name) };
      }
      if (given === 0 && failure) throw failure;
    },
  };
}
