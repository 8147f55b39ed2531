/** Sources whose frames come one after another: raw frames, videos; and files by a pattern. */
import { spawnSync } from "node:child_process";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { Readable } from "node:stream";
import {
  type ImageSource,
  type LabelledImage,
  openSource,
  openVideoFile,
  preprocessPresets,
  type TensorInfo,
} from "@sluice/inference";
import fc from "fast-check";
import sharp from "sharp";
import t, { type Test } from "tap";
import { createByteReader } from "#src/sources/byte-reader.js";

const input: TensorInfo = {
  ...{ name: "input", dtype: "float32", shape: [3, 4, 6], layout: "chw", batch: "dynamic" },
};
const preprocess = preprocessPresets.none;
const model = { input, preprocess, labels: [] };
const frameBytes = 4 * 6 * 3;

async function take(source: ImageSource, count = Number.POSITIVE_INFINITY): Promise<LabelledImage[]> {
  const items: LabelledImage[] = [];
  for await (const item of source) {
    items.push(item);
    if (items.length >= count) break;
  }
  return items;
}

/** Frames of which each byte tells where it is. */
const frames = (count: number) => Uint8Array.from({ length: count * frameBytes }, (_, i) => (i * 7) % 251);

async function* inChunks(bytes: Uint8Array, sizes: readonly number[]) {
  for (let at = 0, i = 0; at < bytes.length; i++) {
    const size = sizes[i % sizes.length]!;
    yield bytes.subarray(at, at + size);
    at += size;
  }
}

t.test("a byte reader gives the same bytes, whatever the chunks", async () => {
  const bytes = frames(2);
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.integer({ min: 1, max: 50 }), { minLength: 1, maxLength: 8 }),
      fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1, maxLength: 8 }),
      async (chunks, reads) => {
        const reader = createByteReader(inChunks(bytes, chunks), "test");
        let at = 0;
        for (let i = 0; at < bytes.length; i++) {
          const wanted = Math.min(reads[i % reads.length]!, bytes.length - at);
          const got = await reader.read(wanted);
          if (!got?.every((byte, k) => byte === bytes[at + k])) return false;
          at += wanted;
        }
        return (await reader.read(1)) === undefined;
      },
    ),
    { seed: 11 },
  );
});

t.test("raw frames come from standard input, the channels side by side", async (t) => {
  const bytes = frames(3);
  const source = await openSource("stdin:4x6x3", model, { stdin: inChunks(bytes, [5, 100, 1]) });
  t.equal(source.count, undefined);
  const items = await take(source);
  t.same(
    items.map(({ name }) => name),
    ["stdin#0", "stdin#1", "stdin#2"],
  );
  for (const [i, { pixels, image }] of items.entries()) {
    const own = bytes.subarray(i * frameBytes, (i + 1) * frameBytes);
    t.strictSame(pixels?.data, own);
    t.equal(image.data[4 * 6], own[1], "the second plane is green");
  }
  t.same(await take(source), [], "there is one pass");
});

t.test("raw frames of another size are resized, grey ones take a grey network", async (t) => {
  const grey = { ...model, input: { ...input, shape: [1, 2, 3] } };
  const [item] = await take(
    await openSource("stdin:4x6x1", grey, { stdin: inChunks(new Uint8Array(24).fill(90), [24]) }),
  );
  t.same(item?.pixels?.shape, [2, 3, 1]);
  t.ok(item?.pixels?.data.every((value) => value === 90));
});

t.test("inputs that are no pictures come from standard input as they are", async (t) => {
  const tokens: TensorInfo = { name: "ids", dtype: "int32", shape: [4], layout: "any", batch: "dynamic" };
  const values = Int32Array.of(7, -1, 70_000, 0, 1, 2, 3, 4);
  const stdin = inChunks(new Uint8Array(values.buffer), [3, 20]);
  const source = await openSource("stdin", { ...model, input: tokens }, { stdin });
  const items = await take(source);
  t.strictSame(
    items.map(({ image }) => image.data),
    [values.slice(0, 4), values.slice(4)],
  );
  t.strictSame(items[0]?.image.shape, [4]);
  t.same(await take(source), [], "there is one pass");
  const cut = await openSource(
    "stdin",
    { ...model, input: tokens },
    { stdin: inChunks(new Uint8Array(20), [20]) },
  );
  await t.rejects(take(cut), { kind: "unreadable", message: /after 4 of the 16 bytes/ });
});

t.test("a stream that ends within a frame, and shapes that are none, are named", async (t) => {
  const cut = await openSource("stdin:4x6x3", model, { stdin: inChunks(frames(2).subarray(0, 100), [9]) });
  await t.rejects(take(cut), { kind: "unreadable", message: /after 28 of the 72 bytes/ });
  for (const shape of ["4x6", "4x6x2", "0x6x3", "99999x99999x3", "4x6x3x1", ""]) {
    await t.rejects(openSource(`stdin:${shape}`, model), { kind: "unknown-name", message: /HxWx3/ });
  }
});

t.test("a pattern names files, with labels as in a folder", async (t) => {
  const root = t.testdir({});
  const png = (value: number) =>
    sharp({ create: { width: 6, height: 4, channels: 3, background: { r: value, g: value, b: value } } })
      .png()
      .toBuffer();
  for (const [folder, value] of [
    ["cat", 10],
    ["dog", 20],
  ] as const) {
    await mkdir(join(root, folder, "deep"), { recursive: true });
    await writeFile(join(root, folder, "1.png"), await png(value));
    await writeFile(join(root, folder, "deep", "2.png"), await png(value + 1));
    await writeFile(join(root, folder, "notes.txt"), "no image");
  }
  const open = (pattern: string) => openSource(join(root, pattern), { ...model, labels: ["cat", "dog"] });
  const found = async (pattern: string) =>
    (await take(await open(pattern))).map(({ name, label, image }) => [name, label, image.data[0]]);
  t.same(await found("*/1.png"), [
    ["cat/1.png", 0, 10],
    ["dog/1.png", 1, 20],
  ]);
  t.same(await found("dog/**/*"), [
    ["1.png", 1, 20],
    ["deep/2.png", undefined, 21],
  ]);
  t.equal((await open("{cat,dog}/**/*.{png,jpg}")).count, 4);
  await t.rejects(open("*/3.png"), { kind: "not-found", message: /3\.png/ });
  await writeFile(join(root, "odd[1].png"), await png(5));
  t.same(await found("odd[1].png"), [["odd[1].png", undefined, 5]], "a file of that name is no pattern");
});

const hasFfmpeg = spawnSync("ffmpeg", ["-version"]).status === 0;
const withFfmpeg = hasFfmpeg ? {} : { skip: "ffmpeg is not installed" };

/** A video without loss. */
function writeVideo(t: Test, count: number): string {
  const path = join(t.testdir({}), "clip.mkv");
  const format = ["-f", "rawvideo", "-pix_fmt", "rgb24", "-s", "6x4", "-r", "10", "-i", "pipe:0"];
  const { status, stderr } = spawnSync(
    "ffmpeg",
    ["-loglevel", "error", ...format, "-c:v", "ffv1", "-pix_fmt", "gbrp", path],
    { input: frames(count) },
  );
  if (status !== 0) throw new Error(String(stderr));
  return path;
}

t.test("a video gives its frames, again at each iteration", withFfmpeg, async (t) => {
  const source = await openSource(writeVideo(t, 5), model);
  t.equal(source.count, undefined);
  const items = await take(source);
  t.equal(items.length, 5);
  for (const [i, { name, pixels }] of items.entries()) {
    t.equal(name, `clip.mkv#${i}`);
    t.strictSame(pixels?.data, frames(5).subarray(i * frameBytes, (i + 1) * frameBytes));
  }
  t.equal((await take(source, 2)).length, 2, "whoever stops early has ended ffmpeg");
});

t.test("what ffmpeg cannot read is said in its words", withFfmpeg, async (t) => {
  const path = join(t.testdir({ "broken.mp4": "no video" }), "broken.mp4");
  await t.rejects(take(await openSource(path, model)), {
    kind: "unreadable",
    message: /broken\.mp4.*Invalid data/,
  });
});

t.test("without ffmpeg or without the file it is said what is missing", async (t) => {
  const directory = t.testdir({ "clip.mp4": "" });
  const path = join(directory, "clip.mp4");
  const source = await openVideoFile(path, input, preprocess, { ffmpeg: join(directory, "no-ffmpeg") });
  await t.rejects(take(source), { kind: "unsupported", message: /install ffmpeg/ });
  await t.rejects(openSource(join(directory, "none.mp4"), model), {
    kind: "not-found",
    message: /none\.mp4/,
  });
});

t.test("a readable stream of the process is taken as it is", async (t) => {
  const stdin = Readable.from([Buffer.from(frames(1))]);
  t.equal((await take(await openSource("stdin:4x6x3", model, { stdin }))).length, 1);
});
