import t from "tap";
import { createTensor } from "../../packages/tensor/dist/index.js";
import { measureProviders } from "../providers/measure.mjs";
import { formatReport } from "../providers/report.mjs";

/** An engine whose results are `factor` times what goes in. */
const engineOf = (factor) => ({
  runBatch: async (frames) =>
    frames.map((frame) => [{ ...frame, data: frame.data.map((value) => factor * value) }]),
  close: async () => {},
});

const model = {
  name: "tiny",
  network: {
    async load({ provider }) {
      if (provider === "cuda") throw new Error("no CUDA here");
      return engineOf(provider === "cpu" ? 1 : 1.01);
    },
  },
};

async function measure(providers) {
  const frames = [1, -4, 2].map((value) => createTensor("float32", [2], Float32Array.of(value, 0.5)));
  const lines = [];
  const options = {
    providers,
    threads: 1,
    sizes: [1, 3],
    frames,
    seconds: 0,
    signal: AbortSignal.timeout(9e4),
  };
  for await (const line of measureProviders(model, options)) lines.push(line);
  return lines;
}

t.test("providers are compared with the first one, and who cannot be had says why", async (t) => {
  const lines = await measure(["cpu", "cuda", "webgpu"]);
  t.match(lines, [
    { provider: "cuda", obstacle: "no CUDA here" },
    { provider: "cpu", frames: 1, runs: 3, difference: 0 },
    { provider: "webgpu", frames: 1, runs: 3 },
    { provider: "cpu", frames: 3, runs: 3, difference: 0 },
    { provider: "webgpu", frames: 3, runs: 3 },
  ]);
  for (const { difference } of [lines[2], lines[4]])
    t.ok(Math.abs(difference - 0.01) < 1e-6, `${difference}`);
});

t.test("the report tells of the machine, each run, and what cannot be had", async (t) => {
  const environment = {
    date: "2026-01-01",
    commit: "abc",
    node: "v20",
    cpu: "a processor",
    cores: 2,
    kernel: "6",
  };
  const run = {
    providers: ["cpu", "webgpu"],
    seconds: 1,
    threads: 2,
    note: "a card",
    loadBefore: [1],
    loadAfter: [2],
  };
  const line = {
    model: "tiny",
    frames: 4,
    runs: 3,
    startMs: 1,
    firstMs: 9.4,
    lowerMs: 1,
    upperMs: 3,
    medianMs: 2,
  };
  const lines = [
    { model: "tiny", provider: "cuda", obstacle: "no CUDA here" },
    { ...line, provider: "cpu", difference: 0 },
    { ...line, provider: "webgpu", difference: 0.000012 },
  ];
  const report = formatReport({ environment, run, lines });
  t.match(report, "a card");
  t.match(report, "| 4 | cpu | 2.00 (1.00 to 3.00) | 0.500 | 9 |  |");
  t.match(report, "| 4 | webgpu | 2.00 (1.00 to 3.00) | 0.500 | 9 | 1.2e-5 |");
  t.match(report, "cuda: no CUDA here");
  t.notMatch(formatReport({ environment, run, lines: lines.slice(0, 1) }), "| 4 |");
});
