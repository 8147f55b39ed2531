import { dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import t from "tap";
import { runTapFile } from "../run-tap-file.mjs";

const root = join(dirname(fileURLToPath(import.meta.url)), "../..");

/** Runs a test file with this text. */
async function run(t, text, limitMs = 30_000) {
  const directory = t.testdir({ "sample.test.mjs": text });
  return runTapFile(relative(root, join(directory, "sample.test.mjs")), { root, limitMs });
}

t.test("counts assertions, nested ones as well, and names what was skipped", async (t) => {
  const report = await run(
    t,
    `import t from "tap";
    t.ok(true, "top");
    t.test("outer", async (t) => {
      t.equal(1, 1);
      await t.test("inner", async (t) => { t.ok(true); t.ok(1); });
    });
    t.test("left out", { skip: "no network" }, async () => {});
    t.test("empty", async () => {});`,
  );
  t.match(report, { passed: 5, failures: [] });
  t.same(report.skipped, [{ name: "left out", reason: "no network" }]);
});

t.test("reports each failure with its path and diagnostics", async (t) => {
  const report = await run(
    t,
    `import t from "tap";
    t.test("outer", async (t) => {
      await t.test("inner", async (t) => { t.equal(1, 2, "wrong sum"); t.ok(true); });
      t.ok(true);
    });
    t.test("throws", async () => { throw new Error("on purpose"); });`,
  );
  t.equal(report.passed, 2);
  t.same(
    report.failures.map(({ name }) => name),
    ["outer > inner > wrong sum", "throws > on purpose"],
  );
  t.match(report.failures[0].diagnostics, { diff: /-2\n\+1/ });
});

t.test("a plan that is not met is a failure", async (t) => {
  const report = await run(
    t,
    'import t from "tap"; t.test("planned", (t) => { t.plan(2); t.ok(true); t.end(); });',
  );
  t.equal(report.passed, 1);
  t.equal(report.failures.length, 1);
});

for (const [what, text, message] of [
  ["a file without a test", "console.log('hello');", /holds no test/],
  ["a file that cannot be loaded", 'import "./missing.mjs";', /exit code 1/],
  ["a file that ends early", 'import t from "tap"; t.ok(true); process.exit(3);', /exit code 3/],
  [
    "a file that crashes after its tests",
    'import t from "tap"; t.pass("fine"); process.on("exit", () => process.kill(process.pid, "SIGKILL"));',
    /SIGKILL/,
  ],
]) {
  t.test(`${what} is a failure`, async (t) => {
    const report = await run(t, text);
    t.ok(report.failures.length >= 1);
    t.match(report.failures.map(({ name }) => name).join("\n"), message);
  });
}

t.test("a file that hangs is stopped", async (t) => {
  const report = await run(t, "setInterval(() => {}, 1000);", 1000);
  t.match(report.failures, [{ name: /longer than 1 s/ }]);
});
