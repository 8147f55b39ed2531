import t from "tap";
import { createClip } from "#demo/page/clip.js";

const width = 4;
const height = 2;
const image = (value: number) =>
  Buffer.from(Array.from({ length: width * height }, () => value)).toString("base64");
const clip = createClip({
  ...{ width, height },
  images: [
    { pixels: image(1), label: 3 },
    { pixels: image(2), label: 5 },
  ],
});

t.test("images stand still with their labels, and the strip moves from one to the next", async (t) => {
  t.strictSame(clip(0), { pixels: Uint8Array.from({ length: 8 }, () => 1), label: 3 });
  const values = new Set<number>();
  let unlabelled = 0;
  for (let frame = 0; frame < 36; frame++) {
    const { pixels, label } = clip(frame);
    for (const value of pixels) values.add(value);
    const left = pixels.indexOf(2);
    if (left > 0)
      t.ok(
        pixels.subarray(left, width).every((value) => value === 2),
        "the next one comes from the right",
      );
    if (label === undefined) unlabelled++;
  }
  t.strictSame([...values], [1, 2]);
  t.equal(clip(36).label, 5);
  t.ok(unlabelled < 10, `${unlabelled} of 36 frames show both`);
  t.strictSame(clip(72), clip(0), "the strip is endless");
  t.strictSame(clip(31), clip(31), "the same number gives the same frame");
});
