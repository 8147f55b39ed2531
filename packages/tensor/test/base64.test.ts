import { Buffer } from "node:buffer";
import fc from "fast-check";
import t from "tap";
import { decodeBase64, encodeBase64 } from "@sluice/tensor";

const seed = 7;

t.test("bytes of any number become the text that others make of them, and come back", async (t) => {
  t.comment(`seed ${seed}`);
  const property = fc.property(fc.uint8Array({ maxLength: 40 }), (bytes) => {
    const text = encodeBase64(bytes);
    const isKnown = text === Buffer.from(bytes).toString("base64");
    return isKnown && Buffer.compare(decodeBase64(text, bytes.length, "field"), bytes) === 0;
  });
  fc.assert(property, { seed, numRuns: 500 });
});

t.test("what is no base64 is refused with its place, wherever it stands", async (t) => {
  const text = Buffer.from(new Uint8Array(10)).toString("base64");
  for (let i = 0; i < 14; i++) {
    for (const wrong of ["-", "=", "\n", "\u{80}", "\u{141}"]) {
      const broken = text.slice(0, i) + wrong + text.slice(i + 1);
      t.throws(() => decodeBase64(broken, 10, "field"), { message: new RegExp(`field.*character ${i} `) });
    }
  }
  t.throws(() => decodeBase64(text, 11, "field"), /field/);
  t.throws(() => decodeBase64(text, 9, "field"), /field/);
  t.throws(() => decodeBase64(`${text.slice(0, 13)}B==`, 10, "field"), /beyond the last byte/);
});
