import { copyFile, readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { deflateSync, gzipSync } from "node:zlib";
import { ExitCode } from "@sluice/cli";
import { createSeededRandom, fashionDirectory, loadOnnxruntime, splitModel } from "@sluice/inference";
import { type CutStatistics, createTensor, decodeStatistics } from "@sluice/tensor";
import t from "tap";
import { runSluice } from "./run-sluice.js";

const side = 28;
const seed = 20;
t.comment(`seed ${seed}`);

function randomImages(count: number): Uint8Array[] {
  const random = createSeededRandom(seed);
  return Array.from({ length: count }, () =>
    Uint8Array.from({ length: side * side }, () => Math.floor(random() * 256)),
  );
}

/** MNIST's form. */
function encodeIdx(images: readonly Uint8Array[]): Uint8Array {
  const header = Buffer.alloc(16);
  header.writeUInt32BE(0x0803, 0);
  [images.length, side, side].forEach((size, axis) => {
    header.writeUInt32BE(size, 4 + 4 * axis);
  });
  return Buffer.concat([header, ...images]);
}

/** CRC-32 as PNG has it; zlib's own came with Node 20.15. */
function crc32(bytes: Uint8Array): number {
  let crc = ~0;
  for (const byte of bytes) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ (crc & 1 ? 0xedb88320 : 0);
  }
  return ~crc >>> 0;
}

/** An 8-bit grey PNG (RFC 2083). */
function encodePng(pixels: Uint8Array): Uint8Array {
  const chunk = (type: string, data: Uint8Array): Buffer => {
    const body = Buffer.concat([Buffer.from(type, "latin1"), data]);
    const frame = Buffer.alloc(8);
    frame.writeUInt32BE(data.length, 0);
    frame.writeUInt32BE(crc32(body), 4);
    return Buffer.concat([frame.subarray(0, 4), body, frame.subarray(4)]);
  };
  const header = Buffer.from([0, 0, 0, side, 0, 0, 0, side, 8, 0, 0, 0, 0]);
  const rows = Array.from({ length: side }, (_, y) =>
    Buffer.concat([Buffer.of(0), pixels.subarray(y * side, (y + 1) * side)]),
  );
  return Buffer.concat([
    Buffer.from("\x89PNG\r\n\x1a\n", "latin1"),
    chunk("IHDR", header),
    chunk("IDAT", deflateSync(Buffer.concat(rows))),
    chunk("IEND", Buffer.alloc(0)),
  ]);
}

async function calibrate(args: readonly string[]): Promise<CutStatistics> {
  const run = await runSluice(["calibrate", "fashion", "--split", "add_4", "--no-transform", ...args]);
  if (run.code !== 0) throw new Error(run.stderr);
  const out = args[args.indexOf("--out") + 1]!;
  return decodeStatistics(JSON.parse(await readFile(out, "utf8")));
}

t.test("statistics are those of the head's outputs", async (t) => {
  const images = randomImages(70);
  const directory = t.testdir();
  const path = join(directory, "train-images-idx3-ubyte.gz");
  await writeFile(path, gzipSync(encodeIdx(images)));
  const statistics = await calibrate(["--images", path, "--out", join(directory, "out", "add_4.json")]);
  t.match(statistics, { cut: "add_4", shape: [96, 7, 7], samples: 70 });

  const { head } = await splitModel(await readFile(join(fashionDirectory, "fashion.onnx")), "add_4");
  const engine = await loadOnnxruntime(head);
  t.teardown(() => engine.close());
  const mean = new Float64Array(96 * 49);
  for (const image of images) {
    const [output] = await engine.run([createTensor("float32", [1, side, side], Float32Array.from(image))]);
    output!.data.forEach((value, i) => {
      mean[i] = mean[i]! + value / images.length;
    });
  }
  const largest = Math.max(...mean.map(Math.abs));
  const error = Math.max(...mean.map((value, i) => Math.abs(value - statistics.meanElement[i]!)));
  t.ok(
    largest > 0.1 && error <= largest * 2 ** -10,
    `off by ${error} of ${largest}: float16 is what it costs`,
  );
  const channel = (c: number): number => mean.subarray(c * 49, (c + 1) * 49).reduce((a, b) => a + b) / 49;
  for (let c = 0; c < 96; c++) {
    if (Math.abs(channel(c) - statistics.channelMean[c]!) > 1e-3) t.fail(`mean of channel ${c}`);
  }
  t.ok(statistics.channelDeviation.every((deviation) => deviation > 0));
});

t.test("the same file again and again; a limit takes images by the seed", async (t) => {
  const directory = t.testdir();
  const images = join(directory, "images.idx");
  await writeFile(images, encodeIdx(randomImages(40)));
  const run = (name: string, ...more: string[]) =>
    calibrate(["--images", images, "--limit", "8", ...more, "--out", join(directory, name)]);
  const [first] = [await run("a.json"), await run("b.json"), await run("c.json", "--seed", "2")];
  t.equal(first.samples, 8);
  const [a, b, c] = await Promise.all(
    ["a", "b", "c"].map((name) => readFile(join(directory, `${name}.json`), "utf8")),
  );
  t.equal(a, b);
  t.not(a, c);
  t.same((await readdir(directory)).sort(), ["a.json", "b.json", "c.json", "images.idx"], "no drafts stay");
});

t.test("a folder of images gives what the same images give as idx", async (t) => {
  const images = randomImages(3);
  const directory = t.testdir({ folder: {} });
  await writeFile(join(directory, "images.idx"), encodeIdx(images));
  for (const [i, image] of images.entries()) {
    await writeFile(join(directory, "folder", `${i}.png`), encodePng(image));
  }
  const fromIdx = await calibrate(["--images", join(directory, "images.idx"), "--out", join(directory, "a")]);
  const fromFolder = await calibrate(["--images", join(directory, "folder"), "--out", join(directory, "b")]);
  t.equal(fromFolder.samples, 3);
  const difference = fromFolder.channelMean.map((mean, c) => Math.abs(mean - fromIdx.channelMean[c]!));
  t.ok(Math.max(...difference) < 1e-4, "but for the order of the sums");
});

t.test("without --out beside the model, and said in JSON", async (t) => {
  const directory = t.testdir();
  const model = join(directory, "mine.onnx");
  await copyFile(join(fashionDirectory, "fashion.onnx"), model);
  await writeFile(join(directory, "images.idx"), encodeIdx(randomImages(2)));
  const images = join(directory, "images.idx");
  const run = await runSluice([
    "calibrate",
    model,
    "--split",
    "add_1",
    "--images",
    images,
    "--json",
    "--no-transform",
  ]);
  t.match(run, { code: 0, stderr: "" });
  const path = join(directory, "statistics", "add_1.json");
  t.equal(decodeStatistics(JSON.parse(await readFile(path, "utf8"))).transform, undefined);
  t.match(JSON.parse(run.stdout), {
    event: "calibrated",
    split: "add_1",
    samples: 2,
    shape: [16, 28, 28],
    path,
  });
  const inspected = JSON.parse((await runSluice(["inspect", model, "--json"])).stdout);
  t.same(
    inspected.cuts
      .filter((cut: { statistics: boolean }) => cut.statistics)
      .map(({ name }: { name: string }) => name),
    ["add_1"],
  );
});

t.test("what the codec sluice needs is measured by runs of the second half", async (t) => {
  const directory = t.testdir();
  const images = join(directory, "images.idx");
  await writeFile(images, encodeIdx(randomImages(12)));
  const path = join(directory, "a.json");
  const run = await runSluice([
    ...["calibrate", "fashion", "--split", "add_1", "--images", images, "--runs", "1", "--out", path],
  ]);
  t.match(run, { code: 0, stderr: "" });
  const { transform } = decodeStatistics(JSON.parse(await readFile(path, "utf8")));
  t.same(transform?.block, [4, 4]);
  t.ok(transform?.scales.some((scale) => scale > 64));
});

t.test("images of another size are refused", async (t) => {
  const directory = t.testdir();
  const file = Buffer.from(encodeIdx(randomImages(1)));
  file.writeUInt32BE(14, 8);
  file.writeUInt32BE(56, 12);
  await writeFile(join(directory, "images.idx"), file);
  const images = join(directory, "images.idx");
  const run = await runSluice(["calibrate", "fashion", "--split", "add_1", "--images", images]);
  t.equal(run.code, ExitCode.notFound);
  t.match(run.stderr, /are 56x14 and grey, the model takes 28x28/);
});
