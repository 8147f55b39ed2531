import { readFile, stat } from "node:fs/promises";
import { basename } from "node:path";
import { promisify } from "node:util";
import { gunzip } from "node:zlib";
import {
  createSeededRandom,
  imageSizeOf,
  type Model,
  ModelError,
  openImageFiles,
  parseIdx,
  preparePixels,
} from "@sluice/inference";
import { createTensor, type Tensor } from "@sluice/tensor";

/** Images to calibrate with, as inputs of a model. */
export interface CalibrationImages extends AsyncIterable<Tensor> {
  /** How many the iteration gives. */
  readonly count: number;
}

/** Of an idx file, unpacked: MNIST's family has 47 MB. */
const maxIdxBytes = 1 << 29;
const isIdx = /(?:\.gz|\.idx|idx3-ubyte)$/;

/** `count` of the numbers 0..total-1 by chance, in rising order. */
function choose(total: number, count: number, seed: number): number[] {
  const random = createSeededRandom(seed);
  const chosen: number[] = [];
  // Selection sampling: Knuth, The Art of Computer Programming 2, 3.4.2, algorithm S.
  for (let i = 0; i < total && chosen.length < count; i++) {
    if ((total - i) * random() < count - chosen.length) chosen.push(i);
  }
  return chosen;
}

async function readIdx(path: string): Promise<Uint8Array> {
  const { size } = await stat(path);
  if (size > maxIdxBytes) {
    throw new ModelError("too-large", `images "${path}": ${size} bytes, at most ${maxIdxBytes} are allowed`);
  }
  const file = await readFile(path);
  if (!path.endsWith(".gz")) return file;
  try {
    return await promisify(gunzip)(file, { maxOutputLength: maxIdxBytes });
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new ModelError("unreadable", `images "${path}": cannot be unpacked: ${reason}`, { cause });
  }
}

async function openIdx(path: string, model: Model, limit: number, seed: number): Promise<CalibrationImages> {
  const { shape, data } = parseIdx(await readIdx(path), 3, basename(path));
  const [total = 0, height = 0, width = 0] = shape;
  const size = imageSizeOf(model.input);
  if (size.channels !== 1 || size.width !== width || size.height !== height) {
    const wanted = `${size.width}x${size.height} with ${size.channels} channels`;
    throw new ModelError(
      "unsupported",
      `images "${path}": are ${width}x${height} and grey, the model takes ${wanted}`,
    );
  }
  const area = width * height;
  const chosen = choose(total, limit, seed);
  return {
    count: chosen.length,
    async *[Symbol.asyncIterator]() {
      for (const index of chosen) {
        const pixels = createTensor(
          "uint8",
          [height, width, 1],
          data.subarray(index * area, (index + 1) * area),
          "hwc",
        );
        yield preparePixels(pixels, model.input, model.preprocess);
      }
    },
  };
}

async function openFiles(
  path: string,
  model: Model,
  limit: number,
  seed: number,
): Promise<CalibrationImages> {
  const source = await openImageFiles(path, model.input, model.preprocess, { seed });
  const count = Math.min(source.count, limit);
  return {
    count,
    async *[Symbol.asyncIterator]() {
      let given = 0;
      for await (const { image } of source) {
        if (given++ === count) return;
        yield image;
      }
    },
  };
}

/**
 * Opens images without labels: an idx file (MNIST's form, `.gz` or not), an image file, or a folder of images.
 * @param limit how many are taken, by chance where there are more
 * @param seed which ones; the same seed takes the same ones
 * @throws ModelError naming the path
 */
export async function openCalibrationImages(
  path: string,
  model: Model,
  limit: number,
  seed: number,
): Promise<CalibrationImages> {
  const isFile = await stat(path).then(
    (status) => status.isFile(),
    () => {
      throw new ModelError("not-found", `images "${path}": there is no such file or folder`);
    },
  );
  return isFile && isIdx.test(path) ? openIdx(path, model, limit, seed) : openFiles(path, model, limit, seed);
}
