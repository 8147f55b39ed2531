import t from "tap";
import { parseProfile } from "#cli/strategy-candidates.js";
import { createStrategyPhases } from "#cli/strategy-phases.js";
import { runSluice, startSluice } from "./run-sluice.js";
import { startServer } from "./start-server.js";

// Loading several halves of a model takes its time.
t.setTimeout(120_000);

t.test("--strategy auto chooses among the ways to run the model, and says by which", async (t) => {
  const [, { url, certHash }] = await startServer(t, []);
  const run = await runSluice([
    ...["stream", url, "--cert-hash", certHash, "--strategy", "auto", "--split", "add_3,add_4"],
    ...["--frames", "90", "--deadline-ms", "5000", "--json"],
  ]);
  t.equal(run.code, 0, run.stderr);
  const summary = JSON.parse(run.stdout);
  t.equal(summary.offered, 90);
  t.equal(summary.offered, summary.droppedAtGate + summary.expired + summary.delivered);
  t.ok(summary.accuracy.top1 > 0.8, "by whatever way, it is the same model");
  const names = summary.candidates.map(({ name }: { name: string }) => name);
  t.same(names.slice(0, 2), ["client", "server raw"]);
  for (const split of ["add_3", "add_4"]) {
    t.ok(names.some((name: string) => name.startsWith(`${split} quantize:levels=32`)));
    t.ok(
      names.some((name: string) => name.startsWith(`${split} quantize:levels=8`) && name.endsWith("entropy")),
    );
  }
  for (const { name, strategy, bytes, clientMs } of summary.candidates) {
    t.equal(bytes > 0, strategy !== "client", name);
    t.equal(clientMs > 0, strategy !== "server", name);
  }
  t.match(summary.phases[0], { cause: "start", candidate: String });
  type Count = { readonly offered: number; readonly onTime: number };
  const sum = (list: readonly Count[], key: keyof Count) =>
    list.reduce((total, each) => total + each[key], 0);
  t.equal(sum(summary.phases, "offered"), 90);
  t.equal(sum(summary.timeline, "offered"), 90);
  t.equal(sum(summary.timeline, "onTime"), summary.onTime);
  t.match(run.stderr, /by whichever of\n {2}client: [\d.]+ ms here\n/);
});

t.test("its metrics tell what is chosen and why", async (t) => {
  const [, { url, certHash }] = await startServer(t, []);
  const stream = startSluice([
    ...["stream", url, "--cert-hash", certHash, "--strategy", "auto", "--duration", "600"],
    ...["--metrics", "127.0.0.1:0", "--json"],
  ]);
  t.teardown(() => stream.kill("SIGKILL"));
  const line = await stream.errorLine((text) => text.startsWith("metrics at "));
  await stream.errorLine((text) => text.startsWith("by "));
  const text = await (await fetch(line.slice("metrics at ".length))).text();
  t.match(text, /sluice_strategy_switches_total\{cause="start"\} 1/);
  t.match(text, /sluice_strategy_active\{candidate="client"\} [01]/);
  stream.kill("SIGINT");
  const { code } = await stream.ended;
  t.equal(code, 0);
});

t.test("auto has nothing to choose for sink, and wants profiles that are some", async (t) => {
  const stream = ["stream", "https://127.0.0.1:9", "--insecure", "--strategy", "auto"];
  const sink = await runSluice([...stream, "--model", "sink"]);
  t.equal(sink.code, 2);
  t.match(sink.stderr, /--strategy auto: sink runs no network/);
  const missing = await runSluice([...stream, "--profile", "/nowhere/profile.json"]);
  t.not(missing.code, 0);
  t.match(missing.stderr, /--profile: \/nowhere\/profile\.json cannot be read/);
});

t.test("profiles are read with care", async (t) => {
  const option = {
    strategy: "client",
    split: "",
    codec: "",
    clientMs: 1,
    encodeMs: 0,
    bytes: 0,
    decodeMs: 0,
    serverMs: 0,
  };
  const profile = { version: 1, model: "m", machine: "x", options: [{ ...option, accuracyKept: null }] };
  t.match(parseProfile(JSON.stringify(profile), "p"), profile);
  for (const [wrong, message] of [
    ["{", /p: is not JSON/],
    ["null", /version: must be 1/],
    [JSON.stringify({ ...profile, options: 1 }), /options: must be a list/],
    [JSON.stringify({ ...profile, options: [null] }), /options\[0\]\.strategy/],
    [
      JSON.stringify({ ...profile, options: [{ ...option, codec: 1 }] }),
      /options\[0\]\.codec: must be a text/,
    ],
    [
      JSON.stringify({ ...profile, options: [{ ...option, bytes: -1 }] }),
      /options\[0\]\.bytes: must be a number/,
    ],
  ] as const) {
    t.throws(() => parseProfile(wrong, "p"), { name: "CliError", message });
  }
});

t.test("a result counts for the choice that its frame was of, whatever made up for it", async (t) => {
  const phases = createStrategyPhases();
  const change = { atMs: 0, from: undefined, estimates: {} as never, predictions: [] };
  phases.begin({ ...change, to: "a", cause: "start", reason: "first" }, 0);
  phases.begin({ ...change, to: "b", cause: "bandwidth", reason: "more" }, 1.234);
  phases.add({ status: "dropped", reason: "deadline", choice: "a", candidate: "a" });
  phases.add({ status: "dropped", reason: "deadline", choice: "b", candidate: "b" });
  phases.add({ status: "dropped", reason: "deadline", choice: "c", candidate: "c" });
  phases.add({ status: "dropped", reason: "deadline", choice: "b", candidate: "a" });
  t.match(phases.phases, [
    { fromSeconds: 0, candidate: "a", offered: 1, onTime: 0, rescued: 0, p50Ms: null },
    { fromSeconds: 1.23, candidate: "b", offered: 2, rescued: 1, cause: "bandwidth", reason: "more" },
  ]);
});
