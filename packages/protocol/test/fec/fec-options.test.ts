import t from "tap";
import { formatFec, parseFec } from "#src/fec/fec-options.js";

t.test("texts are read with their defaults, and written with every parameter", async (t) => {
  for (const [text, canonical] of [
    ["rs", "rs:max=15,span=1"],
    [" xor : max = 30 ", "xor:max=30,span=1"],
    ["rs:span=2,max=100", "rs:max=100,span=2"],
    ["rs:max=1,span=8", "rs:max=1,span=8"],
  ] as const) {
    t.equal(formatFec(parseFec(text)!), canonical, text);
    t.same(parseFec(canonical), parseFec(text));
  }
  t.equal(parseFec(""), undefined);
});

t.test("what cannot be read says what is wrong", async (t) => {
  for (const [text, message] of [
    ["raptor", /unknown code "raptor" \(known: rs, xor\)/],
    ["x-nobody-knows", /unknown code/],
    ["rs:", /must be max=N or span=N/],
    ["rs:max", /fec\.rs\.max: must be a whole number from 1 to 100, got ""/],
    ["rs:max=0", /1 to 100/],
    ["rs:max=101", /1 to 100/],
    ["rs:max=1.5", /1 to 100/],
    ["rs:max=-1", /1 to 100/],
    ["rs:max=1=2", /must be max=N/],
    ["rs:max=5,max=5", /fec\.rs\.max: given twice/],
    ["rs:span=9", /1 to 8/],
    ["rs:toString=1", /must be max=N/],
    [`rs:max=15${" ".repeat(60)}`, /64 characters/],
  ] as const) {
    t.throws(() => parseFec(text), { name: "RangeError", message }, text);
  }
});
