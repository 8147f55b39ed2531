import t from "tap";
import { createSpareBuffers } from "#src/worker-engine/spare-buffers.js";

t.test("what came back is used again where it fits, and little is kept", async (t) => {
  const buffers = createSpareBuffers();
  const first = buffers.take(1_000);
  t.equal(first.byteLength, 1_000);
  buffers.give([first]);
  t.not(buffers.take(1_001), first, "too small");
  t.not(buffers.take(10), first, "far too large");
  t.equal(buffers.take(600), first);
  t.not(buffers.take(600), first, "it is given once");

  const many = Array.from({ length: 10 }, (_, i) => new ArrayBuffer(100 + i));
  buffers.give(many);
  t.equal(
    Array.from({ length: 10 }, () => buffers.take(100)).filter((each) => many.includes(each)).length,
    4,
  );
  buffers.give([new ArrayBuffer(0)]);
  t.equal(buffers.take(1).byteLength, 1, "a buffer that was given away is not kept");
});
