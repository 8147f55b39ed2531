// The loss-accuracy benchmark. Nothing here depends on how fast anything is.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { createStatisticsAccumulator, createTensor } from "@sluice/tensor";
import t from "tap";
import { usableMethods } from "../loss-accuracy/loss-experiment.mjs";
import { plotLoss } from "../loss-accuracy/loss-plot.mjs";
import { lossProcesses, randomFor } from "../loss-accuracy/loss-processes.mjs";
import { parseOptions } from "../loss-accuracy/options.mjs";
import { renderPlot } from "../plot/render-plot.mjs";

const command = fileURLToPath(new URL("../loss-accuracy.mjs", import.meta.url));
const seed = 7;
t.comment(`seed ${seed}`);

const spec = { shape: [16, 8, 8], layout: "chw" };
const share = (mask) => mask.reduce((sum, flag) => sum + flag, 0) / mask.length;
const ofElements = Object.entries(lossProcesses).filter(([, { loses }]) => loses === "elements");

t.test("what is lost at one rate is lost at every higher one, and so much as asked for", async (t) => {
  for (const [name, { plan }] of ofElements) {
    const mask = plan(spec);
    let lost = 0;
    for (let n = 0; n < 400; n++) {
      const at = (rate) => mask(randomFor(seed, name).fork(String(n)), rate);
      const [low, high] = [at(0.2), at(0.4)];
      if (low.some((flag, i) => flag === 1 && high[i] === 0)) t.fail(`${name} ${n}: not nested`);
      lost += share(low) / 400;
    }
    t.ok(Math.abs(lost - 0.2) < 0.03, `${name}: ${lost}`);
    t.equal(share(mask(randomFor(seed, name), 0)), 0);
    t.equal(share(mask(randomFor(seed, name), 1)), 1);
  }
});

t.test("what is lost together", async (t) => {
  const maskOf = (name, layout = spec) =>
    lossProcesses[name].plan(layout)(randomFor(seed, name).fork("3"), 0.25);
  const channels = maskOf("channels");
  t.equal(share(channels), 0.25, "so many whole channels");
  for (let c = 0; c < 16; c++) t.equal(new Set(channels.subarray(64 * c, 64 * c + 64)).size, 1);
  const last = maskOf("channels", { shape: [8, 8, 16], layout: "hwc" });
  t.strictSame(
    [...last],
    [...last].map((_, i) => last[i % 16]),
    "also where they come last",
  );
  const contiguous = maskOf("contiguous");
  for (let part = 0; part < 8; part++)
    t.equal(new Set(contiguous.subarray(128 * part, 128 * part + 128)).size, 1);
  const interleaved = maskOf("interleaved");
  t.ok(interleaved.every((flag, i) => flag === interleaved[i % 64], "all channels alike"));
});

t.test("slices are lost alone or in bursts", async (t) => {
  for (const [name, meanRun] of [
    ["slices", 1 / (1 - 0.2)],
    ["bursts", 4],
  ]) {
    const { isLost } = lossProcesses[name].start(randomFor(seed, name));
    const lost = Array.from({ length: 100_000 }, () => Number(isLost(0.2)));
    const runs = lost.filter((flag, i) => flag === 1 && lost[i - 1] !== 1).length;
    const all = lost.reduce((sum, flag) => sum + flag, 0);
    t.ok(Math.abs(all / lost.length - 0.2) < 0.01, `${name}: ${all}`);
    t.ok(Math.abs(all / runs - meanRun) < 0.1 * meanRun, `${name}: runs of ${all / runs}`);
  }
});

t.test("methods are measured where they can be", async (t) => {
  const all = ["auto", "hybrid", "inter-channel"];
  const network = { spec };
  t.strictSame(usableMethods(all, { network }), ["auto"]);
  const of = (options) => {
    const statistics = createStatisticsAccumulator("cut", [2, 2, 2], "chw", options);
    statistics.add(createTensor("float32", [2, 2, 2], Float32Array.of(1, 2, 3, 4, 5, 6, 7, 9)).data);
    return { network, statistics: statistics.finish() };
  };
  t.strictSame(usableMethods(all, of({})), ["auto", "hybrid"]);
  t.strictSame(usableMethods(all, of({ neighbours: true })), all);
});

t.test("the command line", async (t) => {
  t.match(
    parseOptions(["--rates", "0,12.5", "--loss", "rows", "--methods", "auto,zero", "--calibrate", "20"]),
    {
      ...{ rates: [0, 0.125], processes: ["rows"], methods: ["auto", "zero"], codec: "raw", seed: 1 },
    },
  );
  for (const [args, says] of [
    [["--rates", "101"], /--rates/],
    [["--loss", "none"], /--loss: unknown "none"/],
    [["--methods", "guess"], /--methods: unknown "guess"/],
    [["--preset", "resnet56", "--model", "x"], /--preset and --model/],
    [["--calibrate", "5", "--exclude-calibration", "5"], /--calibrate and/],
  ]) {
    t.throws(() => parseOptions(args), { message: says });
  }
});

t.test("the embedded model from the repository alone", async (t) => {
  const args = ["--limit", "20", "--rates", "0,40,100", "--methods", "auto,zero", "--calibrate", "20"];
  const child = spawn(process.execPath, [command, "--json", ...args, "--loss", "elements,bursts"], {
    stdio: ["ignore", "pipe", "pipe"],
  });
  const output = { stdout: "", stderr: "" };
  for (const name of Object.keys(output)) {
    child[name].on("data", (chunk) => {
      output[name] += chunk;
    });
  }
  const [code] = await once(child, "close");
  t.equal(code, 0, output.stderr);
  t.match(output.stderr, /Seed of the losses: 1/);
  const [head, ...points] = output.stdout.trim().split("\n").map(JSON.parse);
  t.match(head, { model: "fashion", split: "add_3", images: 20, codec: "raw", seed: 1 });
  t.equal(points.length, 12);
  const find = (process, rate, method) =>
    points.find((point) => point.process === process && point.rate === rate && point.method === method);
  for (const process of ["elements", "bursts"]) {
    for (const method of ["auto", "zero"]) {
      t.match(find(process, 0, method), {
        dropPoints: 0,
        agreement: 1,
        complete: 1,
        missing: 0,
        undecodable: 0,
      });
      t.match(find(process, 1, method), { undecodable: 1, top1: 0, missing: 1, meanSquaredError: null });
    }
  }
  const [auto, zero] = ["auto", "zero"].map((method) => find("elements", 0.4, method));
  t.ok(Math.abs(auto.missing - 0.4) < 0.01);
  t.ok(auto.meanSquaredError < 0.5 * zero.meanSquaredError);
  t.ok(auto.agreement >= zero.agreement);
  for (const spec of Object.values(plotLoss(points, head, "raw"))) {
    const { svg, png } = await renderPlot(spec);
    t.match(svg, /accuracy lost with/);
    t.ok(png.length > 1_000);
  }
});
