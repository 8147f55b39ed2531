import t from "tap";
import { lendBytes } from "#src/quiche/lent-bytes.js";

t.test(
  "the same bytes, always in the same objects for a length, so that whoever keeps them keeps little",
  async (t) => {
    const first = lendBytes(Uint8Array.of(1, 2, 3));
    t.strictSame([...first], [1, 2, 3]);
    const second = lendBytes(Uint8Array.of(7, 8, 9));
    t.equal(second, first);
    t.strictSame([...second], [7, 8, 9]);
    const other = lendBytes(Uint8Array.of(5));
    t.strictSame([...other], [5]);
    t.equal(other.buffer, first.buffer);
    t.equal(lendBytes(new Uint8Array(0)).length, 0);
  },
);

t.test("bytes that are part of something larger, and more than there is memory for", async (t) => {
  const whole = Uint8Array.from({ length: 100 }, (_, i) => i);
  t.strictSame([...lendBytes(whole.subarray(40, 43))], [40, 41, 42]);
  const large = new Uint8Array(65_537).fill(3);
  t.equal(lendBytes(large), large);
  t.equal(lendBytes(large.subarray(1)).length, 65_536);
});
