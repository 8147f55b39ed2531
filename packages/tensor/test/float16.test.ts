import {
  decodeFloat16,
  decodeFloat16Array,
  encodeFloat16,
  encodeFloat16Array,
  TensorError,
} from "@sluice/tensor";
import t from "tap";

t.test("every half decodes to its value and encodes back to its bits", async (t) => {
  let wrong = 0;
  for (let bits = 0; bits < 0x10000; bits++) {
    const value = decodeFloat16(bits);
    if (Number.isNaN(value)) {
      if (!Number.isNaN(decodeFloat16(encodeFloat16(value)))) wrong++;
    } else if (encodeFloat16(value) !== bits) wrong++;
  }
  t.equal(wrong, 0);
});

t.test(
  "every midpoint of two halves goes to the even one, and its float32 neighbours to their sides",
  async (t) => {
    const bits = new Uint32Array(1);
    const float = new Float32Array(bits.buffer);
    const neighbour = (value: number, by: number): number => {
      float[0] = value;
      bits[0] = bits[0]! + by;
      return float[0]!;
    };
    let wrong = 0;
    for (let half = 0; half < 0x7bff; half++) {
      const middle = (decodeFloat16(half) + decodeFloat16(half + 1)) / 2;
      const even = half % 2 === 0 ? half : half + 1;
      if (encodeFloat16(middle) !== even || encodeFloat16(-middle) !== (even | 0x8000)) wrong++;
      if (encodeFloat16(neighbour(middle, -1)) !== half) wrong++;
      if (encodeFloat16(neighbour(middle, 1)) !== half + 1) wrong++;
    }
    t.equal(wrong, 0);
  },
);

t.test("known values (IEEE 754 binary16)", async (t) => {
  const cases: [number, number][] = [
    [0, 0x0000],
    [-0, 0x8000],
    [1, 0x3c00],
    [-2, 0xc000],
    [65504, 0x7bff],
    [65519.99, 0x7bff],
    [65520, 0x7c00],
    [1e30, 0x7c00],
    [Number.NEGATIVE_INFINITY, 0xfc00],
    [2 ** -14, 0x0400],
    [2 ** -24, 0x0001],
    [2 ** -25, 0x0000],
    [2 ** -25 * 1.0001, 0x0001],
    [2 ** -24 * 1.5, 0x0002],
    [1 / 3, 0x3555],
  ];
  for (const [value, bits] of cases) t.equal(encodeFloat16(value), bits, String(value));
  t.ok(Object.is(decodeFloat16(0x8000), -0));
  t.ok(Number.isNaN(decodeFloat16(0x7e00)));
  t.equal(decodeFloat16(0x7c00), Number.POSITIVE_INFINITY);
});

t.test("arrays", async (t) => {
  const values = Float32Array.of(1, -2, 0.5, Number.NaN);
  const bits = encodeFloat16Array(values.subarray(1));
  t.strictSame([...bits], [0xc000, 0x3800, 0x7e00], "of a view, too");
  t.strictSame([...decodeFloat16Array(bits.subarray(0, 2))], [-2, 0.5]);
  t.throws(() => encodeFloat16Array(values, new Uint16Array(3)), TensorError);
  t.throws(() => decodeFloat16Array(bits, new Float32Array(4)), TensorError);
});
