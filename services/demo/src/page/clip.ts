import type { ClipImages } from "../model-summary.js";

/** A picture of the clip, and what it shows where that is clear. */
export interface ClipFrame {
  readonly pixels: Uint8Array<ArrayBuffer>;
  readonly label: number | undefined;
}

/** For so many frames an image stands still; then the strip moves on to the next one. */
const stillFrames = 26;
const movingFrames = 10;
/** So many pixels to the side an image is still what it is. */
const clearPixels = 2;

/** A strip of labelled images that moves through the picture. The same number gives the same frame. */
export function createClip({ width, height, images }: ClipImages): (frame: number) => ClipFrame {
  const decoded = images.map(({ pixels, label }) => ({
    label,
    pixels: Uint8Array.from(atob(pixels), (character) => character.charCodeAt(0)),
  }));
  return (frame) => {
    const step = frame % (stillFrames + movingFrames);
    const at = Math.floor(frame / (stillFrames + movingFrames)) % decoded.length;
    const share = Math.max(0, step - stillFrames + 1) / (movingFrames + 1);
    // Eases in and out, as a hand would push it.
    const offset = Math.round(width * share * share * (3 - 2 * share));
    const left = decoded[at]!;
    const right = decoded[(at + 1) % decoded.length]!;
    const pixels = new Uint8Array(width * height);
    for (let y = 0; y < height; y++) {
      const row = y * width;
      pixels.set(left.pixels.subarray(row + offset, row + width), row);
      pixels.set(right.pixels.subarray(row, row + offset), row + width - offset);
    }
    const label =
      offset <= clearPixels ? left.label : width - offset <= clearPixels ? right.label : undefined;
    return { pixels, label };
  };
}
