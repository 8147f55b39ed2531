import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ExitCode } from "@sluice/cli";
import t, { type Test } from "tap";
import { lossMap, lostRuns } from "#cli/loss-map.js";
import { runSluice, startSluice } from "./run-sluice.js";
import { startServer } from "./start-server.js";

/** Streams through a relay that loses, to a server that captures; returns the captures. */
async function capture(t: Test, which: string, options: readonly string[]): Promise<string[]> {
  const directory = await mkdtemp(join(tmpdir(), "sluice-replay-"));
  t.teardown(() => rm(directory, { recursive: true }));
  const [server, { url, certHash }] = await startServer(t, [
    "--capture",
    directory,
    "--capture-frames",
    which,
  ]);
  const relay = startSluice([
    ...["relay", "--listen", "127.0.0.1:0", "--target", new URL(url).host, "--json"],
    ...["--loss", "10%", "--burst", "2", "--seed", "5"],
  ]);
  t.teardown(() => relay.kill("SIGKILL"));
  const { address } = JSON.parse(await relay.line((line) => line.includes('"listening"'))) as {
    address: string;
  };
  const streamed = await runSluice([
    ...["stream", `https://${address}`, "--cert-hash", certHash, "--frames", "40", "--fps", "20"],
    ...["--deadline-ms", "5000", ...options],
  ]);
  t.equal(streamed.code, 0, streamed.stderr);
  server.kill("SIGTERM");
  await server.ended;
  return (await readdir(directory)).map((name) => join(directory, name));
}

async function replayJson(path: string, options: readonly string[] = []) {
  const run = await runSluice(["replay", path, "--json", ...options]);
  const lines = run.stdout
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line));
  return { ...run, frames: lines.slice(0, -1), totals: lines.at(-1) };
}

t.test("what a real server captured is replayed bit for bit, a frame alone and with its image", async (t) => {
  const [path, ...others] = await capture(t, "all", []);
  t.strictSame(others, []);
  const { code, frames, totals } = await replayJson(path!);
  t.equal(code, ExitCode.ok);
  t.match(totals, {
    event: "replayed",
    frames: frames.length,
    same: frames.length,
    different: 0,
    bytesCut: 0,
  });
  // A busy machine turns frames away.
  t.ok(frames.length > 10, `${frames.length} frames`);
  const lossy = frames.filter(({ concealedShare }) => concealedShare > 0);
  t.ok(lossy.length > 0, "some were concealed");
  t.match(lossy[0], { isSameTensor: true, isSameMask: true, isSameAnswer: true, map: /\./, units: 12544 });
  t.strictSame(lossy[0].answerThen, lossy[0].answerNow);

  const one = await runSluice(["replay", path!, "--frame", String(lossy[0].frame)]);
  t.equal(one.code, ExitCode.ok);
  t.match(one.stdout, /cut at add_3: \[64, 14, 14\] float32/);
  t.match(one.stdout, /; computed by cpu; from /);
  t.equal(one.stderr, "");
  t.match(one.stdout, /lost\n/);
  t.match(one.stdout, /1 frames: 1 the same bit for bit/);

  const absent = await runSluice(["replay", path!, "--frame", "4000000"]);
  t.match(absent, { code: ExitCode.notFound, stderr: /has no frame 4000000/ });
  const other = await runSluice(["replay", path!, "--model", "sink"]);
  t.match(other, { code: ExitCode.notFound, stderr: /statistics/ }, "a model with other statistics");

  const elsewhere = `${path!}-elsewhere`;
  const bytes = await readFile(path!);
  bytes.write("dml", bytes.indexOf("cpu", bytes.indexOf("provider")));
  await writeFile(elsewhere, bytes);
  const provided = await runSluice(["replay", elsewhere, "--frame", "0"]);
  t.match(provided, {
    code: ExitCode.ok,
    stderr: "dml computed what was captured and cpu does now (--provider): answers may differ\n",
  });

  const first = await runSluice(["replay", path!, "--frame", "0", "--image", "test-images"]);
  t.match(first, { code: ExitCode.ok, stdout: /without loss: Ankle boot 0\.\d+\n/ });
});

t.test("frames that are predicted from earlier ones, of which only some were captured", async (t) => {
  const [path] = await capture(t, "every:n=5", ["--codec", "sluice:memory=2"]);
  const { code, totals } = await replayJson(path!);
  t.equal(code, ExitCode.ok);
  t.match(totals, { different: 0, unknown: 0 });
  t.ok(totals.same >= 3, `${totals.same} frames`);
});

t.test("mistakes", async (t) => {
  const missing = await runSluice(["replay", "/nowhere/at.all"]);
  t.match(missing, { code: ExitCode.notFound, stderr: /no such file/ });
  const none = await runSluice(["replay", process.execPath]);
  t.match(none, { code: ExitCode.notFound, stderr: /not a capture/ });
  for (const [args, says] of [
    [["--capture", "x", "--capture-frames", "some"], /--capture-frames: must be all/],
    [["--capture-frames", "all"], /only with --capture DIR/],
  ] as const) {
    t.match(await runSluice(["serve", ...args]), { code: ExitCode.usage, stderr: says });
  }
});

t.test("the map of what came", async (t) => {
  const payload = new Uint8Array(0);
  const slices = [
    { index: 0, count: 4, payload, arrivalMs: 0, isRecovered: false },
    { index: 3, count: 4, payload, arrivalMs: 0, isRecovered: true },
    { index: 4, count: 16, payload, arrivalMs: 0, isRecovered: false },
  ];
  t.equal(lossMap({ slices }, 16), "#####.......++++");
  t.equal(lossMap({ slices }, 640), `${"#".repeat(20)}${".".repeat(28)}${"+".repeat(16)}`);
  t.equal(lossMap({ slices: slices.slice(2) }, 1_600)[16], "#");
  t.equal(lossMap({ slices: [{ ...slices[0]!, count: 100 }] }, 100), `~${".".repeat(63)}`);
  t.strictSame(lostRuns({ slices }, 16), [{ first: 5, end: 12 }]);
  t.strictSame(lostRuns({ slices: [] }, 3), [{ first: 0, end: 3 }]);
});
