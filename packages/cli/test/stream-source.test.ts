import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import sharp from "sharp";
import t from "tap";
import { formatResult } from "#cli/stream-results.js";
import { runSluice, startSluice } from "./run-sluice.js";
import { startServer } from "./start-server.js";

// Run by itself on a busy machine; `npm test` sets the same.
t.setTimeout(240_000);

const picture = { width: 30, height: 20, channels: 3, background: "#c86432" } as const;

t.test("what became of every frame is a line of JSON each", async (t) => {
  const [, { url, certHash }] = await startServer(t, []);
  const file = join(t.testdir({}), "results.jsonl");
  const args = ["stream", url, "--cert-hash", certHash, "--frames", "12", "--deadline-ms", "5000"];
  const { code, stderr } = await runSluice([...args, "--results", file]);
  t.equal(code, 0, stderr);
  const lines = (await readFile(file, "utf8")).trimEnd().split("\n");
  const results = lines.map((line) => JSON.parse(line));
  t.same(
    results.map(({ image }) => Number(image)).sort((a, b) => a - b),
    [...Array(12).keys()],
  );
  const [first] = results.filter(({ status }) => status === "delivered");
  t.match(first, {
    label: Number,
    latencyMs: Number,
    onTime: true,
    concealedFraction: 0,
    frameNumber: Number,
  });
  t.match(first.predictions[0], { name: String, description: /[a-z]/i, score: Number });
  const nowhere = await runSluice([...args, "--results", join(file, "below")]);
  t.equal(nowhere.code, 5);
  t.match(nowhere.stderr, /^sluice: --results: .*below/m);
  t.same(JSON.parse(formatResult("a.jpg", undefined, { status: "dropped", reason: "bandwidth" })), {
    ...{ image: "a.jpg", status: "dropped", reason: "bandwidth" },
  });
});

t.test("an image that cannot be read is told once and left out", async (t) => {
  const [, { url, certHash }] = await startServer(t, []);
  const folder = t.testdir({ "b.jpg": "no jpeg" });
  await writeFile(join(folder, "a.png"), await sharp({ create: picture }).png().toBuffer());
  for (const strategy of ["shared", "auto"]) {
    const { code, stdout, stderr } = await runSluice([
      ...["stream", url, "--cert-hash", certHash, "--source", folder, "--strategy", strategy],
      ...["--split", "add_3", "--frames", "6", "--deadline-ms", "5000", "--json"],
    ]);
    t.equal(code, 0, stderr);
    t.equal(JSON.parse(stdout).offered, 6);
    t.equal(stderr.match(/^left out: image "b\.jpg": .*/gm)?.length, 1, stderr);
  }
});

t.test("a run ends in order although its source is silent", async (t) => {
  const [, { url, certHash }] = await startServer(t, []);
  const args = ["stream", url, "--cert-hash", certHash, "--source", "stdin:28x28x1", "--json"];
  const stream = startSluice([...args, "--duration", "600"], {}, "silent");
  t.teardown(() => stream.kill("SIGKILL"));
  await stream.errorLine((line) => line.includes("frames per second"));
  stream.kill("SIGINT");
  const interrupted = await stream.ended;
  t.equal(interrupted.code, 0, interrupted.stderr);
  t.equal(JSON.parse(interrupted.stdout).offered, 0);
  const timed = startSluice([...args, "--duration", "1"], {}, "silent");
  t.teardown(() => timed.kill("SIGKILL"));
  t.equal((await timed.ended).code, 0);
});

t.test("auto takes frames from standard input, of which there is one pass", async (t) => {
  const [, { url, certHash }] = await startServer(t, []);
  const run = await runSluice(
    [
      ...["stream", url, "--cert-hash", certHash, "--strategy", "auto", "--split", "add_3"],
      ...["--source", "stdin:28x28x1", "--deadline-ms", "5000", "--duration", "60", "--json"],
    ],
    {},
    new Uint8Array(40 * 28 * 28),
  );
  t.equal(run.code, 0, run.stderr);
  t.equal(JSON.parse(run.stdout).offered, 40);
});
