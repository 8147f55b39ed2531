// What a client sends that has no part of the network: the image, by codecs that everybody knows.
import openJpegModule from "@cornerstonejs/codec-openjpeg/wasmjs";
import { createTensor } from "@sluice/tensor";
import sharp from "sharp";

const numberIn = (text, name, from, to) => {
  const value = Number(text);
  if (!(value >= from && value <= to))
    throw new Error(`image codec: ${name} must be ${from} to ${to}, got ${text}`);
  return value;
};

/** Offset behind the first marker segment of this kind (0xff and a byte), which begins with its own length. */
function endOfSegment(file, marker) {
  for (let at = 2; at + 4 <= file.length; ) {
    const end = at + 2 + file[at + 2] * 256 + file[at + 3];
    if (file[at + 1] === marker) return end;
    at = end;
  }
  throw new Error(`image codec: there is no marker 0x${marker.toString(16)}`);
}

/** Bytes that need not be sent: the headers and the marker at the end, or nothing. */
const constantParts = (header, before) =>
  header ? { constantBefore: 0, constantAfter: 0 } : { constantBefore: before, constantAfter: 2 };

const startOfScan = 0xda;
const startOfTilePart = 0x90;

/** Baseline JPEG by libjpeg-turbo, colour at half resolution; the same tables in all files where headers are not sent. */
function jpeg({ quality, header }) {
  const options = { quality: numberIn(quality, "jpeg.quality", 1, 100), mozjpeg: false };
  return {
    async encode({ shape: [height, width, channels], data }) {
      const image = sharp(data, { raw: { width, height, channels } });
      if (channels === 1) image.toColourspace("b-w");
      const file = await image.jpeg({ ...options, optimiseCoding: header }).toBuffer();
      return { file, ...constantParts(header, endOfSegment(file, startOfScan)) };
    },
    async decode(file, [height, width, channels]) {
      const { data } = await sharp(file)
        .toColourspace(channels === 1 ? "b-w" : "srgb")
        .raw()
        .toBuffer({ resolveWithObject: true });
      return createTensor("uint8", [height, width, channels], new Uint8Array(data), "hwc");
    },
  };
}

/** Lossy JPEG 2000 by OpenJPEG, one layer, to a ratio of pixel bytes to file bytes. */
async function jpeg2000({ ratio, header }) {
  const compression = numberIn(ratio, "jpeg2000.ratio", 1, 1_000);
  // It announces itself on standard output.
  const { J2KEncoder, J2KDecoder } = await openJpegModule({ print() {}, printErr() {} });
  return {
    async encode({ shape: [height, width, componentCount], data }) {
      const encoder = new J2KEncoder();
      try {
        const frame = { width, height, bitsPerSample: 8, componentCount, isSigned: false };
        encoder.getDecodedBuffer(frame).set(data);
        // A smaller image has fewer halvings in it.
        encoder.setDecompositions(Math.min(5, Math.floor(Math.log2(Math.min(width, height))) - 2));
        encoder.setQuality(false, 1);
        encoder.setCompressionRatio(0, compression);
        encoder.encode();
        const file = Uint8Array.from(encoder.getEncodedBuffer());
        // Behind that segment stands the marker "start of data".
        return { file, ...constantParts(header, endOfSegment(file, startOfTilePart) + 2) };
      } finally {
        encoder.delete();
      }
    },
    async decode(file, [height, width, channels]) {
      const decoder = new J2KDecoder();
      try {
        decoder.getEncodedBuffer(file.length).set(file);
        decoder.decode();
        const pixels = Uint8Array.from(decoder.getDecodedBuffer());
        return createTensor("uint8", [height, width, channels], pixels, "hwc");
      } finally {
        decoder.delete();
      }
    },
  };
}

/** The pixels as they are. */
function pixels() {
  return {
    encode: async ({ data }) => ({ file: data, constantBefore: 0, constantAfter: 0 }),
    decode: async (file, shape) => createTensor("uint8", shape, file, "hwc"),
  };
}

const makers = { jpeg, jpeg2000, pixels };

/**
 * An image codec by its text: `jpeg:quality=1..100`, `jpeg2000:ratio=1..1000`, `pixels`. With `header=no` what is the
 * same in all files of a stream is not sent, as a receiver could add it itself: it counts most for small images.
 * @returns `encode(pixels)`: `{ file, constantBefore, constantAfter }`, the last two in bytes; `decode(file, shape)`
 */
export async function openImageCodec(text) {
  const [name, parameters = ""] = text.split(":");
  if (!Object.hasOwn(makers, name)) {
    throw new Error(
      `image codec: unknown ${JSON.stringify(name)} (known: ${Object.keys(makers).join(", ")})`,
    );
  }
  const { header, ...values } = Object.fromEntries(parameters.split(",").map((pair) => pair.split("=")));
  return { text, ...(await makers[name]({ ...values, header: header !== "no" })) };
}
