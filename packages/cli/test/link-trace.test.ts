import t from "tap";
import { checkTrace, parseTrace, readTrace } from "#cli/link-trace.js";

t.test("times with what a direction takes, for both or for one", async (t) => {
  t.same(
    parseTrace(
      "# a commute\n0s rate=20mbit\n\n1.5s up rate=300kbit,loss=1%\n1.5s down delay=5ms # far\n",
      "f",
    ),
    [
      { atMs: 0, up: { rateBitsPerSecond: 20e6 }, down: { rateBitsPerSecond: 20e6 } },
      { atMs: 1_500, up: { rateBitsPerSecond: 300e3, loss: 0.01 } },
      { atMs: 1_500, down: { delayMs: 5 } },
    ],
  );
});

t.test("seconds and Mbit/s, with blackouts", async (t) => {
  const rate = (mbit: number) => ({ rateBitsPerSecond: mbit * 1e6, loss: 0 });
  t.same(parseTrace("0 20\n10,0.3\n20.5\t0\n", "f"), [
    { atMs: 0, up: rate(20), down: rate(20) },
    { atMs: 10_000, up: rate(0.3), down: rate(0.3) },
    { atMs: 20_500, up: { loss: 1 }, down: { loss: 1 } },
  ]);
});

t.test("Mahimahi's opportunities, counted in tenths of a second", async (t) => {
  const steps = parseTrace("3\n3\n99\n250\n", "f");
  t.same(
    steps.map(({ atMs, up }) => [atMs, up?.rateBitsPerSecond]),
    [
      [0, 360_000],
      [100, 1],
      [200, 120_000],
    ],
  );
});

for (const [text, message] of [
  ["", /^f: holds no line/],
  ["0s\n1 2", /^f:1: expected a time and KEY=VALUE/],
  ["0s speed=1", /^f:1: expected KEY=VALUE/],
  ["1s loss=1%\n0s loss=0", /^f:2: is earlier/],
  ["soon loss=1%", /^f:1: expected a duration/],
] as const) {
  t.test(`refuses ${JSON.stringify(text)}`, async (t) => {
    t.throws(() => parseTrace(text, "f"), { name: "RangeError", message });
  });
}

t.test("a file that is not there is named", async (t) => {
  await t.rejects(readTrace("/nowhere/t"), {
    name: "CliError",
    message: /^--trace: \/nowhere\/t cannot be read/,
  });
});

t.test("what the path cannot be is said beforehand", async (t) => {
  const steps = parseTrace("0s loss=10%\n5s loss=90%", "f");
  checkTrace(steps, { up: {}, down: {} });
  t.throws(
    () => checkTrace(steps, { up: { burst: 4 }, down: {} }),
    /--trace: at 5000 ms: burst must be at least 9/,
  );
});
