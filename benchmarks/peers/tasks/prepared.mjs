import { readFileSync } from "node:fs";
import { join } from "node:path";

/**
 * Reads what `prepareClassify` has made.
 * @returns the manifest with `tensors`, a Float32Array for each image. Of an image `label` is the right class, `float32` and
 *   `uint8` are those that the second half finds in the tensor carried as these.
 */
export function readPrepared(folder) {
  const manifest = JSON.parse(readFileSync(join(folder, "manifest.json"), "utf8"));
  const file = readFileSync(join(folder, "tensors.bin"));
  const length = file.length / 4 / manifest.images.length;
  const all = new Float32Array(file.buffer.slice(file.byteOffset, file.byteOffset + file.length));
  const tensors = manifest.images.map((_, i) => all.subarray(i * length, (i + 1) * length));
  return { ...manifest, tensors };
}
