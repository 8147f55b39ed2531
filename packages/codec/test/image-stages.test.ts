import { type Codec, type EncodedSlice, parseCodec, prepareCodec } from "@sluice/codec";
import { elementCount, psnr, type Tensor } from "@sluice/tensor";
import t from "tap";
import { createImageLibrary, type LibraryModule } from "#codec/image/image-library.js";
import { jpegHeader } from "#codec/image/jpeg-stream.js";
import { instantiateLibrary } from "#codec/image/load-image-library.js";
import { waveTensor } from "./wave-tensor.js";

for (const text of ["jpeg", "jpeg2000", "htj2k"]) await prepareCodec(`quantize | tile | ${text}`);

function decode(codec: Codec, tensor: Tensor, slices: readonly EncodedSlice[]) {
  const partial = codec.createDecoder(tensor).begin();
  for (const { index, count, payload } of slices.toReversed()) {
    const fault = partial.add(index, count, payload);
    if (fault) throw new Error(`slice ${index} of ${count}: ${fault}`);
  }
  return partial.finish();
}

const images = ["jpeg:quality=90", "jpeg2000:ratio=2", "htj2k:step=0.01"];

t.test("every dtype, layout and shape comes back, nearly", async (t) => {
  const shapes = [
    [12, 28, 28],
    [3, 64, 64],
    [5, 1, 1],
    [1, 40, 1],
    [1, 1, 40],
    [1, 1, 1],
    [4, 150, 200],
  ];
  for (const image of images) {
    for (const tiling of ["tile", "tile:shape=wide"]) {
      const codec = parseCodec(`quantize:levels=256,clip=100 | ${tiling} | ${image}`);
      for (const shape of shapes) {
        for (const layout of ["chw", "hwc"] as const) {
          const tensor = waveTensor("float32", shape, layout);
          const { slices } = codec.createEncoder(tensor).encode(tensor, 1150);
          const { tensor: got, missingCount } = decode(codec, tensor, slices);
          const noise = psnr(tensor.data as Float32Array, got.data as Float32Array);
          const isFine =
            missingCount === 0 && slices.every(({ payload }) => payload.length <= 1150) && noise > 17;
          t.ok(
            isFine,
            `${image}, ${tiling}, ${shape} ${layout}: ${slices.length} slices, ${noise.toFixed(1)} dB`,
          );
        }
      }
      for (const shape of [[], [7], [3000], [9, 30], [2, 3, 9, 9]]) {
        const tensor = waveTensor("float32", shape);
        const { slices } = codec.createEncoder(tensor).encode(tensor, 1150);
        t.equal(decode(codec, tensor, slices).missingCount, 0, `${image}, ${tiling}, ${shape}`);
      }
      for (const dtype of ["float16", "uint8", "int8", "int32"] as const) {
        const tensor = waveTensor(dtype, [12, 28, 28]);
        const { slices } = codec.createEncoder(tensor).encode(tensor, 1150);
        const { tensor: got, missingCount } = decode(codec, tensor, slices);
        t.ok(missingCount === 0 && got.dtype === dtype, dtype);
      }
    }
  }
});

t.test("a lost slice takes its own channels and leaves the others as they were", async (t) => {
  for (const image of images) {
    for (const layout of ["chw", "hwc"] as const) {
      const shape = layout === "chw" ? [16, 20, 20] : [20, 20, 16];
      const tensor = waveTensor("float32", shape, layout);
      const codec = parseCodec(`quantize:levels=256 | tile | ${image}`);
      const { slices } = codec.createEncoder(tensor).encode(tensor, 900);
      t.ok(slices.length > 2);
      const all = decode(codec, tensor, slices).tensor.data;
      const { tensor: got, missing, missingCount } = decode(codec, tensor, slices.slice(1));
      t.equal(missingCount % 400, 0, "whole channels");
      t.ok(missingCount > 0 && missingCount < 6400);
      const lost = missingCount / 400;
      for (let i = 0; i < 6400; i++) {
        const channel = layout === "chw" ? Math.floor(i / 400) : i % 16;
        if (missing[i] !== (channel < lost ? 1 : 0)) t.fail(`mask at ${i}`);
        if (got.data[i] !== (channel < lost ? 0 : all[i])) t.fail(`element ${i}`);
      }
    }
  }
});

t.test("few levels are stretched over the samples, and what is decoded goes to the nearest", async (t) => {
  for (const shape of [
    [12, 28, 28],
    [2, 40, 60],
  ]) {
    const tensor = waveTensor("float32", shape);
    for (const levels of [2, 7, 16, 255]) {
      const text = `quantize:levels=${levels},clip=3`;
      const plain = parseCodec(text).createEncoder(tensor).encode(tensor, 1e6).slices;
      const wanted = decode(parseCodec(text), tensor, plain).tensor.data;
      const codec = parseCodec(`${text} | tile | jpeg:quality=100`);
      const { slices } = codec.createEncoder(tensor).encode(tensor, 4000);
      const { data } = decode(codec, tensor, slices).tensor;
      const same = Array.from(data).filter((value, i) => value === wanted[i]).length;
      t.ok(same > (levels < 100 ? 1 : 0.3) * data.length - 1, `${levels} levels: ${same} of ${data.length}`);
    }
  }
});

t.test("slices split into smaller ones for a path whose datagrams have shrunk", async (t) => {
  const tensor = waveTensor("float32", [32, 28, 28]);
  for (const image of images) {
    const codec = parseCodec(`quantize:levels=256 | tile | ${image}`);
    const encoded = codec.createEncoder(tensor).encode(tensor, 4000);
    const parts = encoded.slices.flatMap((slice) => encoded.split(slice, 1300));
    t.ok(parts.length > encoded.slices.length && parts.every(({ payload }) => payload.length <= 1300), image);
    t.equal(decode(codec, tensor, parts).missingCount, 0);
    t.throws(() => encoded.split(encoded.slices[0]!, 5), { name: "TensorError", field: "maxPayloadBytes" });
  }
});

t.test("no header is sent: a flat tensor takes next to nothing", async (t) => {
  const flat = waveTensor("uint8", [1, 32, 32]);
  flat.data.fill(128);
  for (const [image, most] of [
    ["jpeg", 20],
    ["jpeg2000", 30],
    ["htj2k", 30],
  ] as const) {
    const codec = parseCodec(`integers | tile | ${image}`);
    const { slices } = codec.createEncoder(flat).encode(flat, 1150);
    t.ok(
      slices.length === 1 && slices[0]!.payload.length <= most,
      `${image}: ${slices[0]!.payload.length} bytes`,
    );
  }
});

t.test("headers are those that the libraries write, for every parameter", async (t) => {
  const tensor = waveTensor("float32", [4, 24, 40]);
  const texts = [
    ...Array.from({ length: 100 }, (_, i) => `jpeg:quality=${i + 1}`),
    ...[1, 1.5, 8, 100, 1000].flatMap((ratio) =>
      [0, 1, 2, 3, 4, 5].map((levels) => `jpeg2000:ratio=${ratio},decompositions=${levels}`),
    ),
    ...[
      0.001, 0.0015, 0.0039, 0.0078125, 0.01, 0.0123456, 0.03, 0.07, 0.1, 0.25, 0.333333333, 0.49, 0.5,
    ].flatMap((step) => [0, 1, 2, 3, 4, 5].map((levels) => `htj2k:step=${step},decompositions=${levels}`)),
  ];
  for (const text of texts) {
    const codec = parseCodec(`quantize:levels=256,clip=100 | tile | ${text}`);
    const { slices } = codec.createEncoder(tensor).encode(tensor, 1e6);
    if (decode(codec, tensor, slices).missingCount !== 0) t.fail(text);
  }
  t.pass(`${texts.length} parameters`);
});

t.test("noise of the highest quality, which is longer than its samples, stays whole", async (t) => {
  for (const side of [1, 7, 8, 9, 16, 32]) {
    const noise = waveTensor("uint8", [1, side, side]);
    for (let i = 0; i < noise.data.length; i++) noise.data[i] = (Math.imul(i + 1, 2654435761) >>> 24) & 255;
    const codec = parseCodec("integers | tile | jpeg:quality=100");
    const { slices } = codec.createEncoder(noise).encode(noise, 4000);
    const { tensor } = decode(codec, noise, slices);
    t.ok(
      tensor.data.every((value, i) => Math.abs(value - noise.data[i]!) <= 4),
      `${side} x ${side}: ${slices[0]!.payload.length} bytes`,
    );
  }
});

t.test("the size of a JPEG 2000 slice is what the ratio says", async (t) => {
  const tensor = waveTensor("float32", [16, 32, 32]);
  for (const ratio of [4, 8, 16]) {
    const codec = parseCodec(`quantize:levels=256 | tile | jpeg2000:ratio=${ratio}`);
    const { slices } = codec.createEncoder(tensor).encode(tensor, 1e6);
    const bytes = slices[0]!.payload.length;
    const wanted = elementCount(tensor.shape) / ratio;
    t.ok(bytes <= wanted * 1.02 + 16 && bytes > 0.85 * wanted, `${ratio}: ${bytes} of ${wanted}`);
  }
});

t.test("a slice whose plane would be too large is refused, and none is made", async (t) => {
  const spec = { dtype: "uint8", shape: [1500, 32, 32], layout: "chw" } as const;
  for (const image of images) {
    for (const shape of ["square", "wide"]) {
      const codec = parseCodec(`integers | tile:shape=${shape} | ${image}`);
      const partial = codec.createDecoder(spec).begin();
      t.equal(partial.add(0, 1, new Uint8Array(40)), "range", `${image} ${shape}`);
      t.equal(partial.finish().missingCount, 1500 * 1024);
    }
  }
  const flat = waveTensor("uint8", spec.shape);
  flat.data.fill(128);
  const codec = parseCodec("integers | tile | htj2k");
  const { slices } = codec.createEncoder(flat).encode(flat, 1150);
  t.equal(slices.length, 2, "1,500 channels of 1,024 samples, at most 2^20 at once");
  t.equal(decode(codec, flat, slices).missingCount, 0);
});

t.test("a decoder that broken payloads have worn out is replaced, and goes on meanwhile", async (t) => {
  const made: Promise<LibraryModule>[] = [];
  const library = await createImageLibrary("jpeg", () => {
    const module = instantiateLibrary("jpeg");
    made.push(module);
    return module;
  });
  const size = { width: 16, height: 16 };
  const samples = new Uint8Array(256);
  const ramp = Uint8Array.from({ length: 256 }, (_, i) => i);
  const good = library.encode(ramp, size, (encoder) => {
    encoder.setProgressive?.(false);
    encoder.setQuality(90);
  });
  const broken = Uint8Array.of(...jpegHeader(90, size), 0x12, 0xff, 0xd9);
  const breakIt = (times: number) => {
    for (let i = 0; i < times; i++) if (library.decode(broken, size, samples)) t.fail("decoded");
  };
  breakIt(1_000);
  t.equal(made.length, 2, "its replacement is on the way");
  t.ok(library.decode(good, size, samples), "and it decodes");
  breakIt(10_000);
  t.equal(made.length, 2);
  t.notOk(library.decode(good, size, samples), "worn out, it decodes nothing");
  await made[1];
  t.ok(library.decode(good, size, samples), "the new one does");
  breakIt(10);
  t.equal(made.length, 2);
});
