import { type ChildProcessByStdio, spawn } from "node:child_process";
import { once } from "node:events";
import { stat } from "node:fs/promises";
import { basename, extname } from "node:path";
import type { Readable } from "node:stream";
import { createTensor, type Tensor } from "@sluice/tensor";
import { maxImagePixels, resizePixels } from "../decode-image.js";
import { ModelError } from "../model-error.js";
import { imageSizeOf, type Preprocess, preparePixels } from "../preprocess.js";
import type { TensorInfo } from "../tensor-info.js";
import { type ByteReader, createByteReader } from "./byte-reader.js";
import type { ImageSource } from "./labelled-image.js";

const videoKinds = new Set([
  ".avi",
  ".m4v",
  ".mkv",
  ".mov",
  ".mp4",
  ".mpeg",
  ".mpg",
  ".ogv",
  ".webm",
  ".y4m",
]);

export function isVideoName(path: string): boolean {
  return videoKinds.has(extname(path).toLowerCase());
}

export interface VideoOptions {
  /** The program that decodes. Default: `ffmpeg` on the path. */
  readonly ffmpeg?: string;
}

type Ffmpeg = ChildProcessByStdio<null, Readable, Readable>;

/** What ffmpeg says of an error at most. */
const maxComplaintBytes = 1_000;
/** A line in the header of a PPM image. */
const maxHeaderLine = 64;

async function startFfmpeg(program: string, args: readonly string[]): Promise<Ffmpeg> {
  const child = spawn(program, args, { stdio: ["ignore", "pipe", "pipe"] });
  try {
    await once(child, "spawn");
  } catch (cause) {
    throw new ModelError(
      "unsupported",
      `video: ${program} is needed to decode it and cannot be started; install ffmpeg (Debian: apt-get install ffmpeg) or give a folder of images`,
      { cause },
    );
  }
  return child;
}

/** The next image of a stream of PPM ("P6", binary, 8 bits), which says its own size. */
async function readPpm(reader: ByteReader, name: string): Promise<Tensor<"uint8"> | undefined> {
  const magic = await reader.readLine(maxHeaderLine);
  if (magic === undefined) return undefined;
  const size = (await reader.readLine(maxHeaderLine)) ?? "";
  const depth = await reader.readLine(maxHeaderLine);
  const [width = 0, height = 0] = (/^(\d{1,5}) (\d{1,5})$/.exec(size) ?? []).slice(1).map(Number);
  if (magic !== "P6" || depth !== "255" || width * height === 0) {
    throw new ModelError("unreadable", `${name}: ffmpeg gave something else than PPM images of 8 bits`);
  }
  if (width * height > maxImagePixels) {
    throw new ModelError(
      "too-large",
      `${name}: ${width}x${height}, at most ${maxImagePixels} pixels are allowed`,
    );
  }
  const data = await reader.read(width * height * 3);
  return data && createTensor("uint8", [height, width, 3], data, "hwc");
}

/**
 * The frames of a video, turned upright, decoded by ffmpeg while they are read. Each iteration starts at the first.
 * @throws ModelError `not-found`; while iterating `unsupported` where there is no ffmpeg, `unreadable` with what it says
 */
export async function openVideoFile(
  path: string,
  input: TensorInfo,
  preprocess: Preprocess,
  { ffmpeg = "ffmpeg" }: VideoOptions = {},
): Promise<ImageSource> {
  const size = imageSizeOf(input);
  const isFile = await stat(path).then(
    (status) => status.isFile(),
    () => false,
  );
  if (!isFile) throw new ModelError("not-found", `video: there is no file ${path}`);
  // `file:` keeps a name with a colon or a dash from being taken for something else.
  const args = ["-nostdin", "-loglevel", "error", "-i", `file:${path}`];
  const output = [
    "-f",
    "image2pipe",
    "-c:v",
    "ppm",
    "-pix_fmt",
    "rgb24",
    "-fps_mode",
    "passthrough",
    "pipe:1",
  ];
  return {
    count: undefined,
    async *[Symbol.asyncIterator]() {
      const child = await startFfmpeg(ffmpeg, [...args, ...output]);
      const ended = once(child, "close");
      let complaint = "";
      child.stderr.setEncoding("utf8");
      child.stderr.on("data", (text: string) => {
        complaint = (complaint + text).slice(-maxComplaintBytes);
      });
      const reader = createByteReader(child.stdout, path);
      try {
        for (let index = 0; ; index++) {
          const name = `${basename(path)}#${index}`;
          const frame = await readPpm(reader, name);
          if (!frame) break;
          const pixels = await resizePixels(frame, size, preprocess.resize, name);
          yield { name, image: preparePixels(pixels, input, preprocess), pixels, label: undefined };
        }
        const [code] = await ended;
        if (code !== 0) {
          // The last line is what ffmpeg gave up for.
          const reason = complaint.trim().split("\n").at(-1) || `ended with code ${code}`;
          throw new ModelError("unreadable", `video "${path}": ffmpeg: ${reason}`);
        }
      } finally {
        // Whoever stops reading needs no more frames.
        child.kill("SIGKILL");
      }
    },
  };
}
