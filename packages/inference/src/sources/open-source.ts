import type { Model } from "../load-model.js";
import { openImageFiles } from "./image-files.js";
import type { ImageSource } from "./labelled-image.js";
import { createSyntheticSource, parseSyntheticShape } from "./synthetic.js";
import { openTestImages } from "./test-images.js";

/**
 * Opens a source by what a user writes: `test-images`, `synthetic:HxWxC`, a folder of images or an image file.
 * @param seed shuffles images; makes synthetic tensors the same again
 * @throws ModelError naming the source
 */
export async function openSource(
  reference: string,
  model: Pick<Model, "input" | "preprocess" | "labels">,
  options: { readonly seed?: number } = {},
): Promise<ImageSource> {
  if (reference === "test-images") return openTestImages(model.input, model.preprocess, options);
  const synthetic = "synthetic:";
  if (reference.startsWith(synthetic)) {
    const dtype = model.input.dtype === "uint8" ? "uint8" : "float32";
    return createSyntheticSource(parseSyntheticShape(reference.slice(synthetic.length)), {
      dtype,
      ...options,
    });
  }
  return openImageFiles(reference, model.input, model.preprocess, { labels: model.labels, ...options });
}
