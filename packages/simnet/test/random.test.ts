import { createRandom } from "@sluice/simnet";
import t from "tap";

const draw = (count: number, random = createRandom(7)) => Array.from({ length: count }, () => random.next());

t.test("the same seed gives the same numbers, another seed others", async (t) => {
  t.same(draw(100), draw(100));
  t.not(createRandom(8).next(), createRandom(7).next());
  t.not(createRandom("7a").next(), createRandom("7b").next());
  t.equal(createRandom("7").next(), createRandom(7).next());
});

t.test("the sequence is fixed for good: recorded results stay reproducible", async (t) => {
  const random = createRandom(1);
  t.same(
    [random.next(), random.next(), random.fork("x").next()],
    [0.39840837684459984, 0.3918883050791919, 0.9388234838843346],
  );
});

t.test("numbers are in [0, 1), uniform in mean, variance and sixteenths", async (t) => {
  const count = 200_000;
  const numbers = draw(count);
  t.ok(numbers.every((x) => x >= 0 && x < 1));
  const mean = numbers.reduce((sum, x) => sum + x, 0) / count;
  const variance = numbers.reduce((sum, x) => sum + (x - mean) ** 2, 0) / count;
  t.ok(Math.abs(mean - 0.5) < 0.004, `seed 7: mean ${mean}`);
  t.ok(Math.abs(variance - 1 / 12) < 0.001, `seed 7: variance ${variance}`);
  const cells = new Array<number>(16).fill(0);
  for (const x of numbers) cells[Math.floor(x * 16)]! += 1;
  const expected = count / 16;
  const chiSquare = cells.reduce((sum, n) => sum + (n - expected) ** 2 / expected, 0);
  t.ok(chiSquare < 45, `seed 7: chi-square ${chiSquare} of 15 degrees of freedom`);
});

t.test("a fork depends on the seed and its name, not on what was drawn", async (t) => {
  const parent = createRandom(3);
  const before = draw(10, parent.fork("loss"));
  draw(1000, parent);
  t.same(draw(10, parent.fork("loss")), before);
  t.notSame(draw(10, parent.fork("jitter")), before);
  t.notSame(draw(10, createRandom(4).fork("loss")), before);
  t.notSame(draw(10, parent.fork("a").fork("b")), draw(10, parent.fork("ab")));
  t.notSame(draw(10, parent.fork("")), draw(10, createRandom(3)));
});

t.test("forks are not correlated with their parent", async (t) => {
  const count = 50_000;
  const a = draw(count, createRandom(5));
  const b = draw(count, createRandom(5).fork("b"));
  const covariance = a.reduce((sum, x, i) => sum + (x - 0.5) * (b[i]! - 0.5), 0) / count;
  t.ok(Math.abs(covariance * 12) < 0.02, `seed 5: correlation ${covariance * 12}`);
});

t.test("a seed that is no number is refused by name", async (t) => {
  t.throws(() => createRandom(Number.NaN), { name: "RangeError", message: /seed/ });
});
