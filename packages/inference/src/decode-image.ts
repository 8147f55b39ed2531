import { createTensor, type Tensor } from "@sluice/tensor";
import sharp, { type Sharp } from "sharp";
import { ModelError } from "./model-error.js";
import type { ImageSize, Preprocess } from "./preprocess.js";

/** What stands beside an image that does not fill the input. */
const paddingGrey = { r: 128, g: 128, b: 128 };
/** Larger images are refused before they are decoded. */
export const maxImagePixels = 1 << 26;

/**
 * Decodes an image file (JPEG, PNG, WebP, AVIF, GIF, TIFF), turned upright, and brings it to a model's size: resized
 * with an averaging bilinear filter, as the networks' training does, and cropped to its centre.
 * @returns pixels [height, width, channels], red first
 * @throws ModelError `unreadable` naming the image
 */
export function decodeImage(
  file: Uint8Array,
  size: ImageSize,
  resize: Preprocess["resize"],
  name = "image",
): Promise<Tensor<"uint8">> {
  return fit(() => sharp(file, { limitInputPixels: maxImagePixels }), size, resize, name);
}

/**
 * Brings pixels to a model's size, as {@link decodeImage} does.
 * @param pixels [height, width, channels], 1 or 3 channels, red first
 */
export function resizePixels(
  pixels: Tensor<"uint8">,
  size: ImageSize,
  resize: Preprocess["resize"],
  name = "image",
): Promise<Tensor<"uint8">> {
  const [height = 0, width = 0, channels = 0] = pixels.shape;
  const raw = { width, height, channels: channels as 1 | 3 };
  return fit(() => sharp(pixels.data, { raw, limitInputPixels: maxImagePixels }), size, resize, name);
}

async function fit(
  open: () => Sharp,
  { width, height, channels }: ImageSize,
  resize: Preprocess["resize"],
  name: string,
): Promise<Tensor<"uint8">> {
  try {
    const image = open();
    const { autoOrient } = await image.metadata();
    let scaled = { width, height };
    if (resize === "line") {
      const scaledWidth = Math.ceil((autoOrient.width * height) / autoOrient.height);
      scaled = { width: Math.min(width, scaledWidth), height };
    } else if (resize !== "exact") {
      // The image covers a box of `resize` times the input's size.
      const factor = Math.max((width * resize) / autoOrient.width, (height * resize) / autoOrient.height);
      scaled = {
        width: Math.max(width, Math.round(autoOrient.width * factor)),
        height: Math.max(height, Math.round(autoOrient.height * factor)),
      };
    }
    const resized = image
      .autoOrient()
      .removeAlpha()
      .resize({ ...scaled, fit: "fill", kernel: "linear" });
    const left = Math.round((scaled.width - width) / 2);
    const top = Math.round((scaled.height - height) / 2);
    const pipeline =
      resize === "line"
        ? resized.extend({ right: width - scaled.width, background: paddingGrey })
        : resized.extract({ left, top, width, height });
    const { data, info } = await pipeline
      .toColourspace(channels === 1 ? "b-w" : "srgb")
      .raw({ depth: "uchar" })
      .toBuffer({ resolveWithObject: true });
    if (info.channels !== channels) throw new Error(`${info.channels} channels, ${channels} are wanted`);
    return createTensor("uint8", [height, width, channels], new Uint8Array(data), "hwc");
  } catch (cause) {
    // libvips says the same in several lines.
    const said = (cause instanceof Error ? cause.message : String(cause)).split("\n");
    const reason = [...new Set(said.map((line) => line.trim()).filter((line) => line !== ""))].join("; ");
    throw new ModelError("unreadable", `image "${name}": ${reason}`, { cause });
  }
}
