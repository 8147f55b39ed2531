import { sluice } from "@sluice/proto";
import { ErrorCode } from "@sluice/protocol";
import t from "tap";
import {
  decodeSliceHeader,
  encodeSliceHeader,
  type SliceHeader,
  sliceHeaderBytes,
} from "#src/slice-header.js";
import { createIntegers } from "./integers.js";

function decode(bytes: Uint8Array): SliceHeader {
  // Bytes around it show that nothing else is read.
  const around = new Uint8Array(bytes.length + 6).fill(0xff);
  around.set(bytes, 3);
  return decodeSliceHeader({ bytes: around, offset: 3, end: 3 + bytes.length });
}

function generated(header: SliceHeader): Uint8Array {
  const { payloadBytes, sequence, repair, ...others } = header;
  return sluice.v1.SliceHeader.encode({
    ...others,
    ...(payloadBytes === undefined ? {} : { payloadBytes }),
    ...(sequence === undefined ? {} : { sequence }),
    ...(repair === undefined ? {} : { repair }),
  }).finish();
}

function isSame(a: SliceHeader, b: SliceHeader): boolean {
  const keys = ["stream", "frame", "index", "count", "ageMs", "payloadBytes", "sequence", "repair"] as const;
  return keys.every((key) => a[key] === b[key]);
}

const header: SliceHeader = {
  ...{ stream: 3, frame: 70_000, index: 4, count: 9, ageMs: 250, payloadBytes: 1_100, sequence: 123_456 },
};

t.test("byte for byte what the generated code writes, and read as it reads", async (t) => {
  const seed = 2;
  t.comment(`seed ${seed}`);
  const integers = createIntegers(seed);
  let unlike = 0;
  for (let i = 0; i < 20_000; i++) {
    const count = integers.between(1, 2 ** integers.between(0, 24));
    const sample: SliceHeader = {
      ...{ stream: integers.between(1, 16_383), frame: integers.uint32(), count },
      ...{ index: integers.between(0, count - 1), ageMs: integers.uint32() },
      payloadBytes: integers.between(0, 1) ? integers.uint32() : undefined,
      sequence: integers.between(0, 1) ? integers.uint32() : undefined,
      ...(integers.between(0, 1) ? { repair: integers.uint32() } : {}),
    };
    const expected = generated(sample);
    const bytes = new Uint8Array(64);
    const end = encodeSliceHeader(bytes, 2, sample);
    const same =
      end - 2 === expected.length &&
      sliceHeaderBytes(sample) === expected.length &&
      Buffer.compare(bytes.subarray(2, end), expected) === 0 &&
      isSame(decode(expected), sample);
    if (!same) unlike++;
  }
  t.equal(unlike, 0);
});

t.test("absent and zero are told apart where the wire does", async (t) => {
  for (const payloadBytes of [undefined, 0]) {
    for (const sequence of [undefined, 0]) {
      const sample = { ...header, index: 0, frame: 0, ageMs: 0, payloadBytes, sequence };
      t.same(decode(generated(sample)), sample);
    }
  }
});

t.test("fields of a later version are ignored", async (t) => {
  const unknown: Record<string, readonly number[]> = {
    "a varint": [0x48, 0x05],
    "a varint in two bytes of tag": [0x80, 0x01, 0x05],
    "eight bytes": [0x49, 1, 2, 3, 4, 5, 6, 7, 8],
    "a string": [0x52, 0x02, 0x68, 0x69],
    "a group": [0x5b, 0x08, 0x01, 0x5c],
    "four bytes": [0x65, 1, 2, 3, 4],
  };
  const known = generated(header);
  for (const [what, bytes] of Object.entries(unknown)) {
    t.same(decode(Uint8Array.from([...bytes, ...known])), header, `${what} first`);
    t.same(decode(Uint8Array.from([...known, ...bytes])), header, `${what} last`);
  }
});

t.test(
  "a longer varint than needed, and a field twice, mean what they mean in the generated code",
  async (t) => {
    const known = generated(header);
    const forms: readonly (readonly number[])[] = [
      [0x08, 0x87, 0x80, 0x00],
      [0x08, 0x87, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x00],
      [0x88, 0x00, 0x07],
      [0x28, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01],
      [0x08, 0x05, 0x08, 0x06],
    ];
    for (const form of forms) {
      const bytes = Uint8Array.from([...known, ...form]);
      const expected = sluice.v1.SliceHeader.decode(bytes);
      const { stream, frame, index, count, ageMs, payloadBytes, sequence } = decode(bytes);
      t.same(
        { stream, frame, index, count, ageMs, payloadBytes, sequence },
        { ...header, stream: expected.stream, ageMs: expected.ageMs },
      );
    }
  },
);

t.test("what cannot be is refused with its code", async (t) => {
  const cases: Record<string, { bytes: Uint8Array; code: number; message: RegExp }> = {
    "stream 0": {
      bytes: generated({ ...header, stream: 0 }),
      code: ErrorCode.malformedDatagram,
      message: /stream 0/,
    },
    "stream 16384": {
      ...{
        bytes: generated({ ...header, stream: 16_384 }),
        code: ErrorCode.malformedDatagram,
        message: /16384/,
      },
    },
    "count 0": {
      bytes: generated({ ...header, count: 0 }),
      code: ErrorCode.sliceOutOfRange,
      message: /4 of 0/,
    },
    "index = count": {
      ...{ bytes: generated({ ...header, index: 9 }), code: ErrorCode.sliceOutOfRange, message: /9 of 9/ },
    },
    "count over 2^24": {
      ...{
        bytes: generated({ ...header, count: 2 ** 24 + 1 }),
        code: ErrorCode.sliceOutOfRange,
        message: /cannot be/,
      },
    },
    "cut off": {
      bytes: generated(header).subarray(0, -1),
      code: ErrorCode.malformedDatagram,
      message: /not a valid/,
    },
    "a wire type that does not exist": {
      ...{ bytes: Uint8Array.of(0x0f, 0x01), code: ErrorCode.malformedDatagram, message: /not a valid/ },
    },
    "an end without a group": {
      ...{ bytes: Uint8Array.of(0x0c), code: ErrorCode.malformedDatagram, message: /not a valid/ },
    },
  };
  for (const [name, { bytes, code, message }] of Object.entries(cases)) {
    t.throws(() => decode(bytes), { name: "ProtocolError", code, message }, name);
  }
});
