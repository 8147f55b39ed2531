import t from "tap";
import { decodeVarint, encodeVarint, varintBytes } from "#src/varint.js";
import { createIntegers } from "./integers.js";

const known: readonly (readonly [number, readonly number[]])[] = [
  [0, [0]],
  [1, [1]],
  [127, [0x7f]],
  [128, [0x80, 0x01]],
  [300, [0xac, 0x02]],
  [16_383, [0xff, 0x7f]],
  [16_384, [0x80, 0x80, 0x01]],
  [0x1fffff, [0xff, 0xff, 0x7f]],
  [0x200000, [0x80, 0x80, 0x80, 0x01]],
  [0xfffffff, [0xff, 0xff, 0xff, 0x7f]],
  [0x10000000, [0x80, 0x80, 0x80, 0x80, 0x01]],
  [0xffffffff, [0xff, 0xff, 0xff, 0xff, 0x0f]],
];

function decode(bytes: readonly number[]): { value: number; offset: number } {
  const cursor = { bytes: Uint8Array.from(bytes), offset: 0, end: bytes.length };
  return { value: decodeVarint(cursor), offset: cursor.offset };
}

t.test("numbers at every change of length", async (t) => {
  for (const [value, bytes] of known) {
    const dst = new Uint8Array(8);
    t.equal(encodeVarint(dst, 1, value), 1 + bytes.length);
    t.same([...dst.subarray(1, 1 + bytes.length)], bytes);
    t.equal(varintBytes(value), bytes.length);
    t.same(decode(bytes), { value, offset: bytes.length });
  }
});

t.test("any number comes back", async (t) => {
  const seed = 1;
  t.comment(`seed ${seed}`);
  const integers = createIntegers(seed);
  const dst = new Uint8Array(5);
  let wrong = 0;
  for (let i = 0; i < 20_000; i++) {
    const value = integers.uint32();
    const end = encodeVarint(dst, 0, value);
    const cursor = { bytes: dst, offset: 0, end };
    if (decodeVarint(cursor) !== value || cursor.offset !== end || end !== varintBytes(value)) wrong++;
  }
  t.equal(wrong, 0);
});

t.test("a longer form of a small number is read", async (t) => {
  t.equal(decode([0x80, 0x00]).value, 0);
  t.equal(decode([0x81, 0x80, 0x80, 0x80, 0x00]).value, 1);
});

t.test("cut off, over 32 bits or over five bytes", async (t) => {
  for (const [, bytes] of known) t.equal(decode(bytes.slice(0, -1)).value, -1);
  t.equal(decode([0xff, 0xff, 0xff, 0xff, 0x10]).value, -1);
  t.equal(decode([0x80, 0x80, 0x80, 0x80, 0x80, 0x00]).value, -1);
});

t.test("nothing behind the end is read", async (t) => {
  const cursor = { bytes: Uint8Array.from([0x80, 0x01]), offset: 0, end: 1 };
  t.equal(decodeVarint(cursor), -1);
});
