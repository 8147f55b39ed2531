export interface PictureSize {
  readonly width: number;
  readonly height: number;
  readonly channels: 1 | 3;
}

interface Square {
  readonly x: number;
  readonly y: number;
  readonly side: number;
}

const canvas = document.createElement("canvas");

/**
 * The square of a picture in the size that the network wants, [height, width, channels]. Grey pictures with a light edge
 * are turned dark: what such networks have learned lies before black.
 */
export function readPixels(
  picture: CanvasImageSource,
  { x, y, side }: Square,
  { width, height, channels }: PictureSize,
): Uint8Array<ArrayBuffer> {
  canvas.width = width;
  canvas.height = height;
  const context = canvas.getContext("2d", { willReadFrequently: true })!;
  context.imageSmoothingQuality = "high";
  context.drawImage(picture, x, y, side, side, 0, 0, width, height);
  const { data } = context.getImageData(0, 0, width, height);
  const pixels = new Uint8Array(width * height * channels);
  for (let i = 0; i < width * height; i++) {
    const [red, green, blue] = [data[4 * i]!, data[4 * i + 1]!, data[4 * i + 2]!];
    if (channels === 3) pixels.set([red, green, blue], 3 * i);
    // ITU-R BT.601.
    else pixels[i] = 0.299 * red + 0.587 * green + 0.114 * blue;
  }
  return channels === 1 && hasLightEdge(pixels, width, height) ? pixels.map((value) => 255 - value) : pixels;
}

function hasLightEdge(pixels: Uint8Array, width: number, height: number): boolean {
  let sum = 0;
  for (let x = 0; x < width; x++) sum += pixels[x]! + pixels[(height - 1) * width + x]!;
  for (let y = 0; y < height; y++) sum += pixels[y * width]! + pixels[y * width + width - 1]!;
  return sum / (2 * (width + height)) > 127;
}
