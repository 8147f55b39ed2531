import { planeSize, type Tiling, tileOffset } from "./tiling.js";

/**
 * Calls `row` for each row of each channel: where its first element is in the tensor, how far the next one is from
 * it, and where it is in the plane.
 */
function forEachRow(tiling: Tiling, row: (element: number, pitch: number, sample: number) => void): void {
  const { layout, channels, height, width } = tiling;
  const planeWidth = planeSize(tiling).width;
  for (let channel = 0; channel < channels; channel++) {
    const sample = tileOffset(tiling, channel);
    for (let y = 0; y < height; y++) {
      if (layout === "chw") row((channel * height + y) * width, 1, sample + y * planeWidth);
      else row(y * width * channels + channel, channels, sample + y * planeWidth);
    }
  }
}

/** Sets the tiles that no channel fills to 0. */
export function clearUnused(tiling: Tiling, plane: Uint8Array): void {
  const { channels, height, columns } = tiling;
  const used = channels % columns;
  if (used === 0) return;
  const { width } = planeSize(tiling);
  const from = used * tiling.width;
  for (let end = plane.length, y = 0; y < height; y++, end -= width) {
    plane.fill(0, end - width + from, end);
  }
}

/** See TensorKernels.tile. */
export function tile(symbols: Uint8Array, tiling: Tiling, plane: Uint8Array): void {
  const { width } = tiling;
  forEachRow(tiling, (element, pitch, sample) => {
    for (let x = 0; x < width; x++, element += pitch) plane[sample + x] = symbols[element]!;
  });
  clearUnused(tiling, plane);
}

/** See TensorKernels.untile. */
export function untile(plane: Uint8Array, tiling: Tiling, symbols: Uint8Array): void {
  const { width } = tiling;
  forEachRow(tiling, (element, pitch, sample) => {
    for (let x = 0; x < width; x++, element += pitch) symbols[element] = plane[sample + x]!;
  });
}
