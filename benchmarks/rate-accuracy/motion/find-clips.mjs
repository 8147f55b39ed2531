import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { imageSizeOf } from "@sluice/inference";
import { clipFrames, missingFfmpeg } from "./clip-frames.mjs";

const ending = /\.(avi|mp4|mkv|mov|webm)$/;

/**
 * The video clips in the data folder, as inputs of the workload's model.
 * @returns `clips`: each its `name` and `frames()`; or `skipped`, the reason why there are none
 */
export async function findClips({ data, clipsLimit }, { model }) {
  if (imageSizeOf(model.input).channels !== 3) return { skipped: "the model takes grey images" };
  if (data === undefined) return { skipped: "neither --data nor SLUICE_DATA names a folder" };
  const folder = join(data, "clips");
  const names = (await readdir(folder).catch(() => [])).filter((name) => ending.test(name)).sort();
  if (names.length === 0) return { skipped: "the data folder has no clips" };
  const missing = await missingFfmpeg();
  if (missing !== undefined) return { skipped: missing };
  const clips = names.map((name) => ({
    name,
    frames: () => clipFrames(join(folder, name), model, clipsLimit),
  }));
  return { clips };
}
