import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import {
  createSyntheticSource,
  type ImageSource,
  type LabelledImage,
  openImageFiles,
  openSource,
  openTestImages,
  parseIdx,
  parseSyntheticShape,
  preprocessPresets,
  type TensorInfo,
} from "@sluice/inference";
import { decodeFloat16, tensorBytes } from "@sluice/tensor";
import fc from "fast-check";
import sharp from "sharp";
import t from "tap";

const grey: TensorInfo = {
  name: "input",
  dtype: "float32",
  shape: [1, 2, 3],
  layout: "chw",
  batch: "dynamic",
};
const colour: TensorInfo = { ...grey, shape: [3, 4, 4] };

async function take(source: ImageSource, count = Number.POSITIVE_INFINITY): Promise<LabelledImage[]> {
  const items: LabelledImage[] = [];
  for await (const item of source) {
    items.push(item);
    if (items.length >= count) break;
  }
  return items;
}

function idx(shape: number[], data: Uint8Array): Uint8Array {
  const file = new Uint8Array(4 + 4 * shape.length + data.length);
  const view = new DataView(file.buffer);
  view.setUint32(0, 0x0800 | shape.length);
  shape.forEach((size, axis) => {
    view.setUint32(4 + 4 * axis, size);
  });
  file.set(data, 4 + 4 * shape.length);
  return file;
}

t.test("idx files are checked", (t) => {
  const good = idx([2, 3], Uint8Array.of(1, 2, 3, 4, 5, 6));
  t.same(parseIdx(good, 2), { shape: [2, 3], data: Uint8Array.of(1, 2, 3, 4, 5, 6) });
  t.same(parseIdx(idx([0], new Uint8Array(0)), 1).shape, [0]);
  t.throws(() => parseIdx(good, 1, "labels"), /labels: magic: must be 0x801, is 0x802/);
  t.throws(() => parseIdx(good.subarray(0, 3), 2), /idx: magic: 3 bytes/);
  t.throws(() => parseIdx(good.subarray(0, 9), 2), /header: 9 bytes, 12 are needed/);
  t.throws(() => parseIdx(good.subarray(0, 17), 2), /data: 5 bytes, \[2, 3\] needs 6/);
  t.throws(() => parseIdx(idx([2, 3], new Uint8Array(7)), 2), /data: 7 bytes/);
  t.throws(
    () => parseIdx(idx([65536, 65536, 65536], new Uint8Array(1)), 3),
    /size: 281474976710656 elements/,
  );
  t.end();
});

t.test("any bytes are an idx file or refused", (t) => {
  const seed = 77;
  t.comment(`seed ${seed}`);
  let accepted = 0;
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 24 }), fc.boolean(), (bytes, header) => {
      const file = header ? Uint8Array.of(0, 0, 8, 1, 0, 0, 0, ...bytes) : bytes;
      try {
        const { shape, data } = parseIdx(file, 1);
        accepted++;
        return shape[0] === data.length;
      } catch (error) {
        return error instanceof Error && error.name === "ModelError";
      }
    }),
    { seed, numRuns: 2000 },
  );
  t.ok(accepted > 0, `${accepted} accepted`);
  t.end();
});

t.test("test images come in order, or shuffled by a seed", async (t) => {
  const directory = t.testdir({
    "t10k-images-idx3-ubyte.gz": gzipSync(
      idx(
        [4, 2, 3],
        Uint8Array.from({ length: 24 }, (_, i) => i * 10),
      ),
    ),
    "t10k-labels-idx1-ubyte.gz": gzipSync(idx([4], Uint8Array.of(3, 1, 2, 9))),
  });
  const source = await openTestImages(grey, preprocessPresets.none, { directory });
  t.equal(source.count, 4);
  const items = await take(source);
  t.same(
    items.map(({ name, label }) => [name, label]),
    [
      ["0", 3],
      ["1", 1],
      ["2", 2],
      ["3", 9],
    ],
  );
  t.same([...items[1]!.image.data], [60, 70, 80, 90, 100, 110]);
  t.same(items[1]!.image.shape, [1, 2, 3]);
  t.same(items[1]!.pixels?.shape, [2, 3, 1]);
  const shuffled = await openTestImages(grey, preprocessPresets.none, { directory, seed: 2 });
  const first = (await take(shuffled)).map(({ name }) => name);
  t.not(first.join(), "0,1,2,3");
  t.same([...first].sort(), ["0", "1", "2", "3"]);
  t.same(
    (await take(shuffled)).map(({ name }) => name),
    first,
    "each iteration starts again",
  );
  await t.rejects(openTestImages(colour, preprocessPresets.none, { directory }), /are 3x2 and grey/);
  await writeFile(join(directory, "t10k-labels-idx1-ubyte.gz"), gzipSync(idx([3], Uint8Array.of(3, 1, 2))));
  await t.rejects(openTestImages(grey, preprocessPresets.none, { directory }), /4 images, 3 labels/);
  await writeFile(join(directory, "t10k-labels-idx1-ubyte.gz"), "no gzip");
  await t.rejects(openTestImages(grey, preprocessPresets.none, { directory }), /t10k-labels-idx1-ubyte.gz: /);
});

t.test("the embedded test images are Fashion-MNIST's", async (t) => {
  const input = { ...grey, shape: [1, 28, 28] };
  const source = await openTestImages(input, preprocessPresets.none);
  t.equal(source.count, 10_000);
  const items = await take(source);
  const counts = Array.from(
    { length: 10 },
    (_, label) => items.filter((item) => item.label === label).length,
  );
  t.same(
    counts,
    Array.from({ length: 10 }, () => 1000),
    "1,000 of each class",
  );
  // Test image 0 is an ankle boot.
  t.equal(items[0]?.label, 9);
});

async function png(red: number): Promise<Buffer> {
  return sharp({ create: { width: 8, height: 4, channels: 3, background: { r: red, g: 0, b: 0 } } })
    .png()
    .toBuffer();
}

t.test("folders of images take their labels from a table", async (t) => {
  const root = t.testdir({
    "labels.tsv": "file\tindex\twnid\tname\nb.png\t7\tn1\tseven\nsub/c.PNG\t8\tn2\teight\n",
  });
  await mkdir(join(root, "images", "sub"), { recursive: true });
  await writeFile(join(root, "images", "b.png"), await png(20));
  await writeFile(join(root, "images", "a.png"), await png(10));
  await writeFile(join(root, "images", "sub", "c.PNG"), await png(30));
  await writeFile(join(root, "images", "notes.txt"), "not an image");
  const source = await openImageFiles(join(root, "images"), colour, preprocessPresets.none);
  t.equal(source.count, 3);
  const items = await take(source);
  t.same(
    items.map(({ name, label }) => [name, label]),
    [
      ["a.png", undefined],
      ["b.png", 7],
      [join("sub", "c.PNG"), 8],
    ],
  );
  t.same(
    items.map(({ image }) => image.data[0]),
    [10, 20, 30],
  );
  t.same(items[0]?.pixels?.shape, [4, 4, 3]);
  const [one, ...none] = await take(
    await openSource(join(root, "images", "b.png"), { ...blank, input: colour }),
  );
  t.equal(one?.label, 7, "one file finds the table, too");
  t.equal(none.length, 0);
});

const blank = { input: grey, preprocess: preprocessPresets.none, labels: [] };

t.test("folders of images take their labels from their names", async (t) => {
  const root = t.testdir({});
  for (const name of ["T-shirt_top", "trouser", "else"]) {
    await mkdir(join(root, name));
    await writeFile(join(root, name, "1.png"), await png(1));
  }
  const labels = ["T-shirt/top", "Trouser"];
  const items = await take(await openSource(root, { ...blank, input: colour, labels }));
  t.same(
    items.map(({ name, label }) => [name, label]),
    [
      [join("T-shirt_top", "1.png"), 0],
      [join("else", "1.png"), undefined],
      [join("trouser", "1.png"), 1],
    ],
  );
});

t.test("folders that cannot be used are named", async (t) => {
  const root = t.testdir({
    empty: {},
    bad: { "labels.tsv": "name\n1\n" },
    worse: { "labels.tsv": "file\tindex\na\t-1\n" },
  });
  for (const folder of ["bad", "worse"]) await writeFile(join(root, folder, "a.png"), await png(1));
  const open = (folder: string) => openImageFiles(join(root, folder), colour, preprocessPresets.none);
  await t.rejects(open("missing"), /images: there is no file or folder .*missing/);
  await t.rejects(open("empty"), /images: there are none below/);
  await t.rejects(open("bad"), /must have the columns "file" and "index"/);
  await t.rejects(open("worse"), /column "index" must be an integer/);
  await writeFile(join(root, "empty", "broken.jpg"), "no jpeg");
  await t.rejects(take(await open("empty")), /image "broken.jpg": /);
});

t.test("images that cannot be read are told and left out, where somebody wants to know", async (t) => {
  const root = t.testdir({ mixed: { "b.jpg": "no jpeg", "c.png": "" }, bad: { "a.jpg": "no jpeg" } });
  for (const name of ["a.png", "d.png"]) await writeFile(join(root, "mixed", name), await png(1));
  const told: string[] = [];
  const onUnreadable = (error: Error) => told.push(error.message);
  for (const reference of ["mixed", "mixed/*.{png,jpg}"]) {
    told.length = 0;
    const items = await take(
      await openSource(join(root, reference), { ...blank, input: colour }, { onUnreadable }),
    );
    t.same(
      items.map(({ name }) => name),
      ["a.png", "d.png"],
    );
    t.match(told, [/^image "b.jpg": /, /^image "c.png": /]);
    t.equal(told.length, 2);
  }
  const none = await openSource(join(root, "bad"), { ...blank, input: colour }, { onUnreadable });
  await t.rejects(take(none), { kind: "unreadable", message: /image "a.jpg"/ });
});

t.test("synthetic tensors are the same for the same seed", async (t) => {
  t.same(parseSyntheticShape("28x14x128"), [128, 28, 14]);
  for (const text of ["", "28x28", "0x1x1", "1x1x1x1", "axbxc", "28x28x128 "]) {
    t.throws(() => parseSyntheticShape(text), /synthetic: the shape must be HxWxC/, text);
  }
  const source = await openSource("synthetic:28x14x32", blank, { seed: 4 });
  t.equal(source.count, Number.POSITIVE_INFINITY);
  const [first, second] = await take(source, 2);
  t.same(first?.image.shape, [32, 28, 14]);
  t.equal(first?.image.layout, "chw");
  t.equal(first?.label, undefined);
  const bytesOf = (item: LabelledImage | undefined) => Buffer.from(tensorBytes(item!.image));
  t.notOk(bytesOf(first).equals(bytesOf(second)));
  t.ok(bytesOf((await take(source, 1))[0]).equals(bytesOf(first)));
  const data = Array.from(first!.image.data);
  const mean = data.reduce((sum, x) => sum + x, 0) / data.length;
  const deviation = Math.sqrt(data.reduce((sum, x) => sum + (x - mean) ** 2, 0) / data.length);
  t.ok(Math.abs(mean) < 0.03 && Math.abs(deviation - 1) < 0.03, `mean ${mean}, deviation ${deviation}`);
  const bytes = await take(createSyntheticSource([1, 64, 64], { dtype: "uint8", count: 3 }));
  t.equal(bytes.length, 3);
  t.ok(new Set(bytes[0]!.image.data).size > 200);
  t.throws(
    () => parseSyntheticShape("99999x99999x99999") && createSyntheticSource([99999, 99999, 99999]),
    /shape: /,
  );
});

t.test("synthetic inputs are what the model takes", async (t) => {
  const of = async (reference: string, input: Partial<TensorInfo>) =>
    (await take(await openSource(reference, { ...blank, input: { ...grey, ...input } }), 1))[0]!.image;
  const last = await of("synthetic:6x5x3", { shape: [6, 5, 3], layout: "hwc" });
  t.match(last, { shape: [6, 5, 3], layout: "hwc", dtype: "float32" });
  t.match(await of("synthetic", { shape: [6, 5, 3], layout: "hwc" }), { shape: [6, 5, 3], layout: "hwc" });
  const tokens = await of("synthetic", { shape: [200], layout: "any", dtype: "int32" });
  t.strictSame([...new Set(tokens.data)].sort(), [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
  const half = await of("synthetic", { shape: [2000], layout: "any", dtype: "float16" });
  const values = [...half.data].map((bits) => decodeFloat16(bits));
  t.ok(Math.abs(values.reduce((sum, value) => sum + value ** 2, 0) / values.length - 1) < 0.2);
  const bytes = await of("synthetic", { shape: [2000], layout: "any", dtype: "int8" });
  t.ok(Math.min(...bytes.data) < -100 && Math.max(...bytes.data) > 100);
});
