import { imageSizeOf, openTestImages, preparePixels } from "@sluice/inference";
import { createTensor } from "@sluice/tensor";
import { openImages } from "../../accuracy/open-images.mjs";

function enlarge({ data, shape: [height, width, channels] }, margin) {
  const large = createTensor("uint8", [height + margin, width + margin, channels], undefined, "hwc");
  for (let y = 0; y < height; y++) {
    const row = data.subarray(y * width * channels, (y + 1) * width * channels);
    large.data.set(row, ((y + margin / 2) * (width + margin) + margin / 2) * channels);
  }
  return large;
}

/**
 * Images that are larger than a model's input by an even `margin`, so that a window of the input's size can move over
 * them: photographs are brought to that size, the embedded model's lie on an empty background that goes on.
 */
export async function* largerImages({ model, source }, margin, seed, limit) {
  const { reference, labels } = source;
  const { input, preprocess } = model;
  let given = 0;
  if (reference === "test-images") {
    for await (const { pixels } of await openTestImages(input, preprocess, { seed })) {
      if (given++ >= limit) return;
      yield enlarge(pixels, margin);
    }
    return;
  }
  const { width, height, channels } = imageSizeOf(input);
  const [rows, columns] = [height + margin, width + margin];
  const shape = input.layout === "hwc" ? [rows, columns, channels] : [channels, rows, columns];
  const resize = preprocess.resize === "exact" ? "exact" : 1;
  const larger = { input: { ...input, shape }, preprocess: { ...preprocess, resize } };
  const images = await openImages(reference, larger, labels);
  try {
    for await (const { pixels } of await images.open(seed)) {
      if (given++ >= limit) return;
      yield pixels;
    }
  } finally {
    await images.close();
  }
}

/** The model's input that a window at (top, left) of a larger image shows. */
export function windowOf({ data, shape: [, columns, channels] }, { input, preprocess }, top, left) {
  const { width, height } = imageSizeOf(input);
  const pixels = createTensor("uint8", [height, width, channels], undefined, "hwc");
  for (let y = 0; y < height; y++) {
    const from = ((top + y) * columns + left) * channels;
    pixels.data.set(data.subarray(from, from + width * channels), y * width * channels);
  }
  return preparePixels(pixels, input, preprocess);
}
