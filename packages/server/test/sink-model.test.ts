import { createSinkModel, runServedFrame, tensorChecksum } from "@sluice/server";
import { createTensor } from "@sluice/tensor";
import t from "tap";

function textTensor(text: string) {
  return createTensor("uint8", [text.length], new TextEncoder().encode(text), "any");
}

t.test("the checksum is FNV-1a of 32 bits", async (t) => {
  // Vectors of the FNV draft (draft-eastlake-fnv, appendix C).
  t.equal(tensorChecksum(textTensor("a")), 0xe40c292c);
  t.equal(tensorChecksum(textTensor("foobar")), 0xbf9cf968);
});

t.test("elements that are missing do not count, all their bytes", async (t) => {
  const whole = createTensor("float32", [4], Float32Array.of(1, 2, 3, 4), "any");
  const missing = Uint8Array.of(0, 1, 0, 1);
  const rest = createTensor("float32", [2], Float32Array.of(1, 3), "any");
  t.equal(tensorChecksum(whole, missing), tensorChecksum(rest));
  t.not(tensorChecksum(whole), tensorChecksum(rest));
  t.equal(tensorChecksum(whole, new Uint8Array(4)), tensorChecksum(whole));
  t.equal(tensorChecksum(whole, new Uint8Array(4).fill(1)), 0x811c9dc5, "nothing came: the start value");
});

t.test("the sink answers with the checksum and the fraction that came", async (t) => {
  const tensor = textTensor("foobar");
  const sink = createSinkModel();
  const whole = { missing: new Uint8Array(6), missingCount: 0 };
  t.same(await runServedFrame(sink, { tensor, context: whole }), {
    ...{ checksum: 0xbf9cf968, receivedFraction: 1 },
  });
  const missing = Uint8Array.of(0, 1, 1, 1, 1, 1);
  const part = { tensor: textTensor("fxxxxx"), context: { missing, missingCount: 5 } };
  t.same(await runServedFrame(sink, part), {
    ...{ checksum: tensorChecksum(textTensor("f")), receivedFraction: 1 - 5 / 6 },
  });
});
