import { mkdtemp, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openImageFiles, openTestImages } from "@sluice/inference";
import { extract } from "tar";

/** Files of an archive, and their bytes, beyond which it is refused. */
const maxFiles = 100_000;
const maxBytes = 1 << 30;

async function unpack(path) {
  const folder = await mkdtemp(join(tmpdir(), "sluice-images-"));
  let files = 0;
  let bytes = 0;
  const filter = (_, { type, size }) => {
    if (type === "Directory") return true;
    if (type !== "File") return false;
    files++;
    bytes += size;
    if (files > maxFiles || bytes > maxBytes)
      throw new Error(`${path}: more than ${maxFiles} files or ${maxBytes} bytes`);
    return true;
  };
  await extract({ file: path, cwd: folder, filter, strict: true });
  return folder;
}

/**
 * Opens images for a model.
 * @param reference `test-images` (the embedded model's), a folder, or a .tar of one
 * @param labels names of the classes where folders are named after them
 * @returns `open(seed)`: the images in the order of that seed, which is the order in which `sluice calibrate` takes
 *   them from such a folder; `count`; `close()`
 */
export async function openImages(reference, model, labels) {
  const { input, preprocess } = model;
  if (reference === "test-images") {
    const { count } = await openTestImages(input, preprocess);
    return { count, open: (seed) => openTestImages(input, preprocess, { seed }), close: async () => {} };
  }
  const status = await stat(reference);
  const folder = status.isFile() && reference.endsWith(".tar") ? await unpack(reference) : reference;
  const close = async () => {
    if (folder !== reference) await rm(folder, { recursive: true, force: true });
  };
  try {
    const { count } = await openImageFiles(folder, input, preprocess, { labels });
    return { count, open: (seed) => openImageFiles(folder, input, preprocess, { labels, seed }), close };
  } catch (error) {
    await close();
    throw error;
  }
}

/** The first `count` images of the order of `seed`. */
export async function takeImages(images, seed, count) {
  const taken = [];
  for await (const image of await images.open(seed)) {
    if (taken.length >= count) break;
    taken.push(image);
  }
  return taken;
}

/** Images of the order of `seed`, at most `limit`, without those whose names are in `excluded`. */
export async function* imagesBeside(images, seed, limit, excluded) {
  let given = 0;
  for await (const image of await images.open(seed)) {
    if (given >= limit) return;
    if (excluded.has(image.name)) continue;
    given++;
    yield image;
  }
}
