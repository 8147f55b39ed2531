import { createTensor } from "@sluice/tensor";
import { maxImagePixels, resizePixels } from "../decode-image.js";
import { ModelError } from "../model-error.js";
import { imageSizeOf, type Preprocess, preparePixels } from "../preprocess.js";
import type { TensorInfo } from "../tensor-info.js";
import type { ImageSource } from "./labelled-image.js";
import { openOnePass } from "./one-pass.js";

/** Frames of one size. */
export interface RawFrameShape {
  readonly height: number;
  readonly width: number;
  readonly channels: 1 | 3;
}

/** Reads a shape written as HxWxC. @throws ModelError `unknown-name` */
export function parseRawFrameShape(text: string): RawFrameShape {
  const match = /^(\d{1,5})x(\d{1,5})x([13])$/.exec(text);
  const [height, width, channels] = (match ?? []).slice(1).map(Number);
  if (!height || !width || height * width > maxImagePixels) {
    throw new ModelError(
      "unknown-name",
      `stdin: the shape must be HxWx1 or HxWx3 like 240x320x3, of at most ${maxImagePixels} pixels, got "${text}"`,
    );
  }
  return { height, width, channels: channels as 1 | 3 };
}

/**
 * Frames one behind the other in a stream of bytes, each pixel's channels side by side, red first, as `ffmpeg -f rawvideo
 * -pix_fmt rgb24` (or `gray`) writes them. There is one pass; a second one finds nothing.
 * @throws ModelError while iterating: `unreadable` where the stream ends within a frame
 */
export function openRawFrames(
  bytes: AsyncIterable<Uint8Array>,
  shape: RawFrameShape,
  input: TensorInfo,
  preprocess: Preprocess,
): ImageSource {
  const size = imageSizeOf(input);
  const { height, width, channels } = shape;
  return openOnePass(bytes, height * width * channels, async (piece, name) => {
    const frame = createTensor("uint8", [height, width, channels], piece, "hwc");
    const pixels = await resizePixels(frame, size, preprocess.resize, name);
    return { image: preparePixels(pixels, input, preprocess), pixels, label: undefined };
  });
}
