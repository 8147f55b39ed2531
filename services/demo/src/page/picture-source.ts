/** The pictures that are streamed: of the clip, or the latest one that the page has sent. */
import { imageSizeOf, preparePixels } from "@sluice/inference/web";
import { createTensor, type Tensor } from "@sluice/tensor";
import type { ClipImages, ModelSummary } from "../model-summary.js";
import { createClip } from "./clip.js";

export interface Picture {
  /** [height, width, channels], red first. */
  readonly pixels: Uint8Array<ArrayBuffer>;
  /** The network's input. */
  readonly image: Tensor;
  readonly label: number | undefined;
}

export interface PictureSource {
  readonly width: number;
  readonly height: number;
  /** `undefined`: the page has sent none yet. */
  next(useClip: boolean): Picture | undefined;
  /** @throws RangeError for another number of pixels */
  setLatest(pixels: Uint8Array<ArrayBuffer>): void;
}

export function createPictureSource(model: ModelSummary, clipImages: ClipImages | null): PictureSource {
  const { width, height, channels } = imageSizeOf(model.input);
  const clip = clipImages && createClip(clipImages);
  let latest: Uint8Array<ArrayBuffer> | undefined;
  let clipFrame = 0;
  return {
    ...{ width, height },
    next(useClip) {
      const frame = useClip && clip ? clip(clipFrame++) : latest && { pixels: latest, label: undefined };
      if (!frame) return undefined;
      const pixels = createTensor("uint8", [height, width, channels], frame.pixels, "hwc");
      return { ...frame, image: preparePixels(pixels, model.input, model.preprocess) };
    },
    setLatest(pixels) {
      const wanted = width * height * channels;
      if (pixels.length !== wanted) throw new RangeError(`pixels: ${pixels.length}, ${wanted} are wanted`);
      latest = pixels;
    },
  };
}
