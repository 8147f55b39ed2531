import { convertTensor, createTensor, type Tensor } from "@sluice/tensor";
import { ModelError } from "./model-error.js";
import { specOf, type TensorInfo } from "./tensor-info.js";

/** How the pixels of an image become the input of a model: value = (pixel / scale - mean) / deviation. */
export interface Preprocess {
  /**
   * The image's shorter side after resizing, over the input's; the centre is then cropped out (256 / 224 for
   * ImageNet). `exact`: resized to the input's size, whatever that does to its proportions. `line`: as high as the
   * input, at its left edge, narrowed where it is too long, and grey to its right.
   */
  readonly resize: number | "exact" | "line";
  readonly channelOrder: "rgb" | "bgr";
  readonly scale: number;
  /** For each channel in the order given, or one for all. */
  readonly mean: readonly number[];
  readonly deviation: readonly number[];
}

const imagenetMean = [0.485, 0.456, 0.406];
const imagenetDeviation = [0.229, 0.224, 0.225];

/** Preprocessings in use, by the framework that they come from. */
export const preprocessPresets = {
  /** torchvision's for ImageNet: 0..1, then the data set's mean and deviation; short side 256, crop 224. */
  torch: {
    resize: 256 / 224,
    channelOrder: "rgb",
    scale: 255,
    mean: imagenetMean,
    deviation: imagenetDeviation,
  },
  /** The same values for small images (CIFAR), resized and not cropped. */
  "torch-small": {
    resize: "exact",
    channelOrder: "rgb",
    scale: 255,
    mean: imagenetMean,
    deviation: imagenetDeviation,
  },
  /** TensorFlow's for Inception and MobileNet: -1..1. */
  tensorflow: { resize: 256 / 224, channelOrder: "rgb", scale: 127.5, mean: [1], deviation: [1] },
  /** Caffe's: BGR, 0..255 less the mean. */
  caffe: {
    resize: 256 / 224,
    channelOrder: "bgr",
    scale: 1,
    mean: [103.939, 116.779, 123.68],
    deviation: [1],
  },
  /** Pixels as they are, 0..255. */
  none: { resize: "exact", channelOrder: "rgb", scale: 1, mean: [0], deviation: [1] },
} as const satisfies Record<string, Preprocess>;

/** The preprocessing that a model most probably wants, by the shape of its input and where it comes from. */
export function defaultPreprocess(input: TensorInfo, origin: "tensorflow" | "any" = "any"): Preprocess {
  const shape = input.shape;
  const channels = input.layout === "hwc" ? shape[2] : shape[0];
  if (shape.length !== 3 || channels !== 3) return preprocessPresets.none;
  if (origin === "tensorflow") return preprocessPresets.tensorflow;
  const height = input.layout === "hwc" ? shape[0] : shape[1];
  return height !== null && height !== undefined && height <= 64
    ? preprocessPresets["torch-small"]
    : preprocessPresets.torch;
}

/** Width, height and channels of the image that a model takes. */
export interface ImageSize {
  readonly width: number;
  readonly height: number;
  readonly channels: 1 | 3;
}

/** @throws ModelError `unsupported` where the input is not an image with 1 or 3 channels */
export function imageSizeOf(input: TensorInfo): ImageSize {
  const { shape, layout } = specOf(input);
  const [height, width, channels] = layout === "hwc" ? shape : [shape[1], shape[2], shape[0]];
  if (
    shape.length !== 3 ||
    height === undefined ||
    width === undefined ||
    (channels !== 1 && channels !== 3)
  ) {
    const message = `input "${input.name}": shape [${shape.join(", ")}] is not an image with 1 or 3 channels`;
    throw new ModelError("unsupported", message);
  }
  return { width, height, channels };
}

/** The value for a channel of a list that has one for each or one for all. */
function forChannel(name: string, values: readonly number[], channel: number, channels: number): number {
  const value = values.length === 1 ? values[0] : values[channel];
  if (value === undefined || values.length > Math.max(channels, 1) || !Number.isFinite(value)) {
    throw new ModelError(
      "unsupported",
      `${name}: needs 1 or ${channels} finite numbers, got [${values.join(", ")}]`,
    );
  }
  return value;
}

/**
 * Makes a model's input from pixels of its size; an integer takes them rounded.
 * @param pixels [height, width, channels], red first
 * @throws ModelError `unsupported` where the input is not an image, or the pixels are of another
 *   size
 */
export function preparePixels(pixels: Tensor<"uint8">, input: TensorInfo, preprocess: Preprocess): Tensor {
  const { width, height, channels } = imageSizeOf(input);
  if (pixels.shape[0] !== height || pixels.shape[1] !== width || pixels.shape[2] !== channels) {
    const wanted = `[${height}, ${width}, ${channels}]`;
    throw new ModelError(
      "unsupported",
      `pixels: have shape [${pixels.shape.join(", ")}], the model takes ${wanted}`,
    );
  }
  const area = width * height;
  const values = new Float32Array(area * channels);
  for (let channel = 0; channel < channels; channel++) {
    const source = preprocess.channelOrder === "bgr" ? channels - 1 - channel : channel;
    const mean = forChannel("mean", preprocess.mean, channel, channels);
    const deviation = forChannel("deviation", preprocess.deviation, channel, channels);
    const start = input.layout === "hwc" ? channel : channel * area;
    const step = input.layout === "hwc" ? channels : 1;
    for (let i = 0; i < area; i++) {
      values[start + i * step] = (pixels.data[i * channels + source]! / preprocess.scale - mean) / deviation;
    }
  }
  const { dtype, shape, layout } = specOf(input);
  return convertTensor(createTensor("float32", shape, values, layout), dtype);
}
