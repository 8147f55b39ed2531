import {
  decodeImage,
  defaultPreprocess,
  imageSizeOf,
  ModelError,
  preparePixels,
  preprocessPresets,
  type TensorInfo,
} from "@sluice/inference";
import { createTensor, decodeFloat16 } from "@sluice/tensor";
import sharp from "sharp";
import t from "tap";

function inputOf(
  shape: number[],
  layout: "chw" | "hwc" = "chw",
  dtype: TensorInfo["dtype"] = "float32",
): TensorInfo {
  return { name: "input", dtype, shape, layout, batch: "dynamic" };
}

/** 1 high, 2 wide: a red and a blue pixel, nearly. */
const pixels = createTensor("uint8", [1, 2, 3], Uint8Array.of(255, 51, 0, 0, 102, 204), "hwc");

t.test("presets give the values that their frameworks give", (t) => {
  const rows = (preset: keyof typeof preprocessPresets) =>
    [...preparePixels(pixels, inputOf([3, 1, 2]), preprocessPresets[preset]).data].map(
      (x) => Math.round(x * 1e3) / 1e3,
    );
  t.same(rows("none"), [255, 0, 51, 102, 0, 204]);
  t.same(rows("tensorflow"), [1, -1, -0.6, -0.2, -1, 0.6]);
  // (1 - 0.485) / 0.229, (0 - 0.485) / 0.229, (0.2 - 0.456) / 0.224, …
  t.same(rows("torch"), [2.249, -2.118, -1.143, -0.25, -1.804, 1.751]);
  // Blue first.
  t.same(rows("caffe"), [-103.939, 100.061, -65.779, -14.779, 131.32, -123.68]);
  t.end();
});

t.test("channels last, bytes, and grey", (t) => {
  const last = preparePixels(pixels, inputOf([1, 2, 3], "hwc"), preprocessPresets.none);
  t.same([...last.data], [255, 51, 0, 0, 102, 204]);
  t.equal(last.layout, "hwc");
  const bytes = preparePixels(pixels, inputOf([3, 1, 2], "chw", "uint8"), preprocessPresets.none);
  t.same(bytes.data, Uint8Array.of(255, 0, 51, 102, 0, 204));
  const grey = createTensor("uint8", [1, 2, 1], Uint8Array.of(7, 9), "hwc");
  t.same([...preparePixels(grey, inputOf([1, 1, 2]), preprocessPresets.none).data], [7, 9]);
  t.end();
});

t.test("the default follows the input's shape", (t) => {
  t.equal(defaultPreprocess(inputOf([3, 224, 224])), preprocessPresets.torch);
  t.equal(defaultPreprocess(inputOf([3, 32, 32])), preprocessPresets["torch-small"]);
  t.equal(defaultPreprocess(inputOf([1, 28, 28])), preprocessPresets.none);
  t.same(imageSizeOf(inputOf([3, 4, 5])), { height: 4, width: 5, channels: 3 });
  t.same(imageSizeOf(inputOf([4, 5, 3], "hwc")), { height: 4, width: 5, channels: 3 });
  t.end();
});

t.test("inputs that are no image are refused", (t) => {
  t.throws(() => imageSizeOf(inputOf([10])), /input "input": shape \[10\] is not an image/);
  t.throws(() => imageSizeOf(inputOf([32, 14, 14])), /is not an image/);
  t.throws(
    () => preparePixels(pixels, inputOf([3, 2, 2]), preprocessPresets.none),
    /pixels: have shape \[1, 2, 3\]/,
  );
  const two = { ...preprocessPresets.none, mean: [1, 2] };
  t.throws(() => preparePixels(pixels, inputOf([3, 1, 2]), two), /mean: needs 1 or 3 finite numbers/);
  t.end();
});

t.test("inputs of other types", (t) => {
  const prepared = (dtype: "float16" | "int8") =>
    preparePixels(pixels, inputOf([3, 1, 2], "chw", dtype), preprocessPresets.none);
  const bytes = [...pixels.data];
  t.same([...prepared("float16").data].map((bits) => decodeFloat16(bits)).sort(), bytes.map(Number).sort());
  t.same([...prepared("int8").data].sort(), bytes.map((byte) => Math.min(127, byte)).sort());
  t.end();
});

/** 40 wide, 20 high: left half red, right half blue, with two green columns in the middle. */
async function stripes(): Promise<Buffer> {
  const data = Buffer.alloc(40 * 20 * 3);
  for (let i = 0; i < 800; i++) {
    const x = i % 40;
    data[i * 3 + (x === 19 || x === 20 ? 1 : x < 20 ? 0 : 2)] = 255;
  }
  return sharp(data, { raw: { width: 40, height: 20, channels: 3 } })
    .png()
    .toBuffer();
}

t.test("decoding crops the centre or keeps all", async (t) => {
  const file = await stripes();
  const size = { width: 10, height: 10, channels: 3 } as const;
  const cropped = await decodeImage(file, size, 2);
  t.same(cropped.shape, [10, 10, 3]);
  t.equal(cropped.layout, "hwc");
  const at = (image: typeof cropped, x: number) => [
    ...image.data.slice((5 * 10 + x) * 3, (5 * 10 + x) * 3 + 3),
  ];
  t.same(at(cropped, 4), [0, 255, 0], "the middle of the image is the middle of the crop");
  t.same(at(cropped, 5), [0, 255, 0]);
  t.same(at(cropped, 0), [255, 0, 0]);
  t.same(at(cropped, 9), [0, 0, 255]);
  const whole = await decodeImage(file, size, "exact");
  t.ok(at(whole, 4)[0]! > 100, "green is averaged with red");
  t.same(at(whole, 0), [255, 0, 0]);
});

t.test("grey, transparent, 16 bit and turned images", async (t) => {
  const colour = { width: 4, height: 4, channels: 3 } as const;
  const grey = { width: 4, height: 4, channels: 1 } as const;
  const flat = (channels: 3 | 4, background: { r: number; g: number; b: number; alpha: number }) =>
    sharp({ create: { width: 8, height: 8, channels, background } });
  const greyFile = await flat(3, { r: 90, g: 90, b: 90, alpha: 1 }).toColourspace("b-w").png().toBuffer();
  t.same([...(await decodeImage(greyFile, colour, "exact")).data.slice(0, 3)], [90, 90, 90]);
  t.same(
    [...(await decodeImage(greyFile, grey, 1)).data],
    Array.from({ length: 16 }, () => 90),
  );
  const red = await flat(3, { r: 255, g: 0, b: 0, alpha: 1 }).png().toBuffer();
  t.equal((await decodeImage(red, grey, 1)).data.length, 16);
  const clear = await flat(4, { r: 10, g: 20, b: 30, alpha: 0.5 }).png().toBuffer();
  // Resizing multiplies with the transparency and divides by it again: one step is lost to rounding.
  const [r = 0, g = 0, b = 0] = (await decodeImage(clear, colour, 1)).data;
  t.ok(Math.abs(r - 10) <= 1 && Math.abs(g - 20) <= 1 && Math.abs(b - 30) <= 1, `${r}, ${g}, ${b}`);
  const deep = await flat(3, { r: 10, g: 20, b: 30, alpha: 1 }).toColourspace("rgb16").png().toBuffer();
  t.same([...(await decodeImage(deep, colour, 1)).data.slice(0, 3)], [10, 20, 30]);
  const turned = await sharp(await stripes())
    .withMetadata({ orientation: 6 })
    .png()
    .toBuffer();
  const upright = await decodeImage(turned, { width: 10, height: 20, channels: 3 }, "exact");
  t.same([...upright.data.slice(0, 3)], [255, 0, 0], "red is above");
  t.same([...upright.data.slice(-3)], [0, 0, 255], "blue is below");
});

t.test("files that are no image are named", async (t) => {
  const size = { width: 4, height: 4, channels: 3 } as const;
  for (const file of [new Uint8Array(0), Uint8Array.of(1, 2, 3), (await stripes()).subarray(0, 60)]) {
    await t.rejects(decodeImage(file, size, 1, "bad.png"), new ModelError("unreadable", ""), {});
    await t.rejects(decodeImage(file, size, 1, "bad.png"), /image "bad.png": /);
  }
  const jpeg = await sharp(await stripes())
    .jpeg()
    .toBuffer();
  const error: Error = await decodeImage(jpeg.subarray(0, 300), size, 1, "cut.jpg").catch((it) => it);
  const said = error.message.slice('image "cut.jpg": '.length).split("; ");
  t.equal(new Set(said).size, said.length, "what libvips repeats is said once");
  t.match(said.join(), /premature end of JPEG image/);
  t.notMatch(error.message, "\n");
});
