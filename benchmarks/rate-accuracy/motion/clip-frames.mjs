import { spawn } from "node:child_process";
import { once } from "node:events";
import { imageSizeOf, preparePixels } from "@sluice/inference";
import { createTensor } from "@sluice/tensor";

/** Why there is no ffmpeg to decode with; undefined where there is one. */
export async function missingFfmpeg() {
  const child = spawn("ffmpeg", ["-version"], { stdio: "ignore" });
  try {
    const [code] = await once(child, "exit");
    return code === 0 ? undefined : `ffmpeg ends with ${code}`;
  } catch (error) {
    return `ffmpeg does not start (${error.code})`;
  }
}

function filterFor({ width, height }, resize) {
  if (resize === "exact") return `scale=${width}:${height}`;
  const box = `${Math.round(width * resize)}:${Math.round(height * resize)}`;
  return `scale=${box}:force_original_aspect_ratio=increase,crop=${width}:${height}`;
}

/** The first frames of a clip as inputs of a model, decoded by ffmpeg. @throws Error with what it wrote */
export async function* clipFrames(path, { input, preprocess }, limit) {
  const size = imageSizeOf(input);
  const filter = `${filterFor(size, preprocess.resize)},format=rgb24`;
  const output = ["-frames:v", String(limit), "-f", "rawvideo", "-"];
  const child = spawn(
    "ffmpeg",
    ["-v", "error", "-threads", "1", "-i", path, "-an", "-vf", filter, ...output],
    {
      stdio: ["ignore", "pipe", "pipe"],
    },
  );
  const exit = once(child, "exit");
  // Somebody must hear of it even where the consumer stops early.
  exit.catch(() => {});
  let trouble = "";
  child.stderr.on("data", (chunk) => {
    if (trouble.length < 1_000) trouble += chunk;
  });
  try {
    const frameBytes = size.width * size.height * 3;
    let held = Buffer.alloc(0);
    for await (const chunk of child.stdout) {
      held = Buffer.concat([held, chunk]);
      for (; held.length >= frameBytes; held = held.subarray(frameBytes)) {
        const bytes = Uint8Array.from(held.subarray(0, frameBytes));
        yield preparePixels(
          createTensor("uint8", [size.height, size.width, 3], bytes, "hwc"),
          input,
          preprocess,
        );
      }
    }
    const [code] = await exit;
    if (code !== 0) throw new Error(`ffmpeg: ${trouble.trim()}`);
  } finally {
    child.kill();
  }
}
