import { classify, softmax } from "@sluice/inference";
import { createTensor } from "@sluice/tensor";
import fc from "fast-check";
import t from "tap";

const vector = (...values: number[]) => createTensor("float32", [values.length], Float32Array.from(values));

t.test("scores of any type", (t) => {
  // -1, 2 and 0.5: as bit patterns the first would be the largest.
  const half = createTensor("float16", [3], Uint16Array.of(0xbc00, 0x4000, 0x3800));
  t.same(classify(half), classify(vector(-1, 2, 0.5)));
  const wide = { dtype: "int64", shape: [3], layout: "any", data: BigInt64Array.of(-1n, 2n, 0n) } as const;
  t.same(classify(wide), classify(vector(-1, 2, 0)));
  t.end();
});

t.test("softmax sums to 1 and does not overflow", (t) => {
  const values = softmax([1000, 1000 + Math.log(3), -1000]);
  t.ok(Math.abs(values[0]! - 0.25) < 1e-12 && Math.abs(values[1]! - 0.75) < 1e-12);
  t.equal(values[2], 0);
  t.end();
});

t.test("the best classes with their names, best first", (t) => {
  const logits = vector(0, Math.log(2), Math.log(5), 0, 0);
  const best = classify(logits, ["a", "b", "c"], 4);
  t.same(
    best.map(({ label, name }) => [label, name]),
    [
      [2, "c"],
      [1, "b"],
      [0, "a"],
      [3, "3"],
    ],
  );
  t.same(
    best.map(({ probability }) => Math.round(probability * 1e6)),
    [5e5, 2e5, 1e5, 1e5],
  );
  t.equal(classify(logits).length, 5);
  t.equal(classify(logits, [], 99).length, 5);
  t.same(classify(logits, [], 0), []);
  t.end();
});

t.test("the best of many classes are those of a stable sort", (t) => {
  const property = fc.property(
    fc.array(fc.integer({ min: 0, max: 9 }), { minLength: 1, maxLength: 30 }),
    fc.integer({ min: 0, max: 8 }),
    (values, count) => {
      const sorted = values.map((_, label) => label).sort((a, b) => values[b]! - values[a]!);
      const best = classify(vector(...values.map((value) => value + 1)), [], count);
      t.same(
        best.map(({ label }) => label),
        sorted.slice(0, count),
      );
    },
  );
  fc.assert(property, { seed: 20261128 });
  t.end();
});

t.test("probabilities are taken as they are, of any shape", (t) => {
  const output = createTensor("float32", [3, 1, 1], Float32Array.of(0.125, 0.625, 0.25));
  t.same(classify(output, [], 2), [
    { label: 1, name: "1", probability: 0.625 },
    { label: 2, name: "2", probability: 0.25 },
  ]);
  // A sum of 1 alone is not enough: a negative value makes them logits.
  t.ok(classify(vector(2, -1, 0))[0]!.probability < 0.9);
  t.end();
});

t.test("values that are not numbers do not break it", (t) => {
  t.equal(classify(vector(Number.NaN, 1, 2)).length, 3);
  t.end();
});
