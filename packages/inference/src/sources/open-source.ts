import { existsSync } from "node:fs";
import type { Model } from "../model.js";
import { specOf } from "../tensor-info.js";
import { arrayFiles, openFilled, openNpyFiles, openNpzFiles, openRawFile } from "./array-files.js";
import { type ImageFileOptions, openImageFiles, openImageGlob } from "./image-files.js";
import type { ImageSource } from "./labelled-image.js";
import { openRawFrames, parseRawFrameShape } from "./raw-frames.js";
import { openRawTensors } from "./raw-tensors.js";
import { createSyntheticSource, parseSyntheticShape } from "./synthetic.js";
import { openTestImages } from "./test-images.js";
import { isVideoName, openVideoFile, type VideoOptions } from "./video-file.js";

export interface OpenSourceOptions extends VideoOptions, Pick<ImageFileOptions, "onUnreadable"> {
  /** Shuffles images; makes synthetic tensors the same again. */
  readonly seed?: number;
  /** Where `stdin:HxWxC` reads. Default: the process's standard input. */
  readonly stdin?: AsyncIterable<Uint8Array>;
}

/** What {@link openSource} takes, in words for a help text. */
export const sourceForms =
  "test-images, a folder, an image, a pattern like 'photos/**/*.jpg', a video (needs ffmpeg), stdin:HxWxC (raw frames), stdin or a .bin file (the model's inputs as they are), .npy or .npz files of NumPy or a folder of them, synthetic (random inputs), synthetic:HxWxC";

/**
 * Opens a source by what a user writes: `test-images`, `synthetic` or `synthetic:HxWxC`, `stdin` or `stdin:HxWxC`, a folder of images, an image or
 * video file, a pattern of image files; arrays of NumPy (`.npy`, `.npz` with the input's name, a folder of either), a `.bin` file, a number for
 * all elements.
 * @throws ModelError naming the source
 */
export async function openSource(
  reference: string,
  model: Pick<Model, "input" | "preprocess" | "labels">,
  options: OpenSourceOptions = {},
): Promise<ImageSource> {
  const { input, preprocess, labels } = model;
  const seeded = options.seed === undefined ? {} : { seed: options.seed };
  if (reference === "test-images") return openTestImages(input, preprocess, seeded);
  const [, kind, shape] = /^(synthetic|stdin)(?::(.*))?$/s.exec(reference) ?? [];
  if (kind === "synthetic") {
    if (shape === undefined) {
      const spec = specOf(input);
      return createSyntheticSource(spec.shape, { ...seeded, dtype: spec.dtype, layout: spec.layout });
    }
    const [channels, height, width] = parseSyntheticShape(shape);
    const isLast = input.layout === "hwc";
    const wanted = isLast ? [height, width, channels] : [channels, height, width];
    return createSyntheticSource(wanted, { ...seeded, dtype: input.dtype, layout: isLast ? "hwc" : "chw" });
  }
  if (kind === "stdin") {
    const stdin = options.stdin ?? process.stdin;
    if (shape === undefined) return openRawTensors(stdin, specOf(input));
    return openRawFrames(stdin, parseRawFrameShape(shape), input, preprocess);
  }
  if (/^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(reference) && !existsSync(reference))
    return openFilled(Number(reference), input);
  const archives = await arrayFiles(reference, ".npz");
  if (archives.length > 0) return openNpzFiles(archives, input);
  const arrays = await arrayFiles(reference, ".npy");
  if (arrays.length > 0) return openNpyFiles(arrays, input);
  if (/\.(bin|raw)$/i.test(reference)) return openRawFile(reference, input);
  if (isVideoName(reference)) return openVideoFile(reference, input, preprocess, options);
  // A file whose name looks like a pattern is a file.
  const isPattern = /[*?[{]/.test(reference) && !existsSync(reference);
  const open = isPattern ? openImageGlob : openImageFiles;
  const { onUnreadable } = options;
  return open(reference, input, preprocess, { labels, ...seeded, ...(onUnreadable ? { onUnreadable } : {}) });
}
