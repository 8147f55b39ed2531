import { ExitCode } from "@sluice/cli";
import t from "tap";
import { runHere } from "./run-here.js";
import { runSluice } from "./run-sluice.js";
import { startServer } from "./start-server.js";

/** One for which there is no build of onnxruntime on this system. */
const foreign = process.platform === "win32" ? "coreml" : "dml";

t.test(
  "what computes the networks is in the first line and in the metrics, and logged where it was asked for",
  async (t) => {
    for (const [args, wanted] of [
      [[], undefined],
      [["--provider", "cpu"], /^onnxruntime: provider cpu$/],
      // Whatever is here, the processor is.
      [["--provider", "auto"], /^onnxruntime: provider \w+ \(.*cpu: |^onnxruntime: provider cpu/],
    ] as const) {
      const [server, listening] = await startServer(t, ["--json", "--threads", "1", ...args]);
      const { networks } = listening as unknown as { networks: { provider: string }[] };
      t.match(networks, [{ model: "fashion", split: "add_3" }]);
      const { provider } = networks[0]!;
      if (args[1] !== "auto") t.equal(provider, "cpu");
      const metrics = await (await fetch(new URL("/metrics", listening.metricsUrl))).text();
      t.ok(
        metrics.includes(`sluice_network_loaded{model="fashion",split="add_3",provider="${provider}"} 1`),
        provider,
      );
      server.kill("SIGTERM");
      const { stderr } = await server.ended;
      const said = stderr
        .split("\n")
        .filter((line) => line.includes("onnxruntime:"))
        .map((line) => JSON.parse(line).msg as string);
      t.equal(said.length, wanted ? 1 : 0);
      if (wanted) t.match(said[0], wanted);
    }
  },
);

t.test("a provider that cannot be had ends the command, naming the option", async (t) => {
  for (const [name, ...args] of [
    ["serve", "--listen", "127.0.0.1:0", "--metrics", "off"],
    ["profile", "fashion", "--runs", "1"],
  ] as const) {
    const { code, stderr } = await runSluice([name, ...args, "--provider", foreign]);
    t.equal(code, ExitCode.internal, name);
    t.match(stderr, new RegExp(`provider: ${foreign} cannot be had: this onnxruntime has only cpu`), name);
  }
  t.match(await runHere(["serve", "--provider", "gpu"]), { code: ExitCode.usage, stderr: /--provider/ });
});

t.test("every provider by its times and its distance from the processor", async (t) => {
  const args = ["profile", "fashion", "--providers", "--split", "add_5", "--runs", "2", "--threads", "1"];
  const table = await runSluice(args);
  t.equal(table.code, 0);
  t.match(table.stdout, /^fashion, what comes after add_5, by what computes it; in ms\n/);
  t.match(table.stdout, /\nprovider +start +one frame +4 at once +16 at once +differs by\ncpu +\d/);
  t.match(table.stdout, new RegExp(`\n${foreign} +- .* this onnxruntime has only cpu`));

  const json = await runSluice([...args, "--json"]);
  const { model, split, providers } = JSON.parse(json.stdout);
  t.strictSame({ model, split }, { model: "fashion", split: "add_5" });
  t.match(providers[0], { provider: "cpu", difference: 0 });
  t.strictSame(
    providers[0].batches.map(({ frames }: { frames: number }) => frames),
    [1, 4, 16],
  );
  t.match(await runHere(["profile", "fashion", "--providers", "--split", "a", "--split", "b"]), {
    ...{ code: ExitCode.usage, stderr: /--split: only one with --providers/ },
  });
});
