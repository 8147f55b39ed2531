import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { gunzip } from "node:zlib";
import { createTensor } from "@sluice/tensor";
import { fashionDirectory } from "../load-model.js";
import { ModelError } from "../model-error.js";
import { imageSizeOf, type Preprocess, preparePixels } from "../preprocess.js";
import type { TensorInfo } from "../tensor-info.js";
import { maxIdxElements, parseIdx } from "./idx-file.js";
import type { ImageSource } from "./labelled-image.js";
import { orderOf } from "./seeded-random.js";

const unzip = promisify(gunzip);

async function readZippedIdx(directory: string, name: string, rank: number) {
  let file: Uint8Array;
  try {
    file = await unzip(await readFile(join(directory, name)), { maxOutputLength: maxIdxElements + 64 });
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new ModelError("unreadable", `test images: ${name}: ${reason}`, { cause });
  }
  return parseIdx(file, rank, name);
}

/**
 * The test images of the embedded model (Fashion-MNIST's 10,000), in order or, with a seed, shuffled.
 * @throws ModelError `unreadable` where the files are damaged, `unsupported` for a model that takes other images
 */
export async function openTestImages(
  input: TensorInfo,
  preprocess: Preprocess,
  options: { readonly seed?: number; readonly directory?: string } = {},
): Promise<ImageSource> {
  const directory = options.directory ?? fashionDirectory;
  const [images, labels] = await Promise.all([
    readZippedIdx(directory, "t10k-images-idx3-ubyte.gz", 3),
    readZippedIdx(directory, "t10k-labels-idx1-ubyte.gz", 1),
  ]);
  const [count = 0, height = 0, width = 0] = images.shape;
  if (labels.shape[0] !== count) {
    throw new ModelError("unreadable", `test images: ${count} images, ${labels.shape[0]} labels`);
  }
  const size = imageSizeOf(input);
  if (size.channels !== 1 || size.width !== width || size.height !== height) {
    const wanted = `${size.width}x${size.height} with ${size.channels} channels`;
    throw new ModelError(
      "unsupported",
      `test images: are ${width}x${height} and grey, the model takes ${wanted}; name a source of such images, or synthetic`,
    );
  }
  const area = width * height;
  return {
    count,
    async *[Symbol.asyncIterator]() {
      for (const index of orderOf(count, options.seed)) {
        const data = images.data.subarray(index * area, (index + 1) * area);
        const pixels = createTensor("uint8", [height, width, 1], data, "hwc");
        const image = preparePixels(pixels, input, preprocess);
        yield { name: String(index), image, pixels, label: labels.data[index] };
      }
    },
  };
}
