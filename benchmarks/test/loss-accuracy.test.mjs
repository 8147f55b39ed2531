// The loss-accuracy benchmark. Nothing here depends on how fast anything is.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { createStatisticsAccumulator, createTensor } from "@sluice/tensor";
import t from "tap";
import { sliceBytes } from "../../packages/protocol/dist/test/virtual-session.js";
import { compareForms } from "../loss-accuracy/agreement-report.mjs";
import { conditionsOf, nameCondition } from "../loss-accuracy/conditions.mjs";
import { usableMethods } from "../loss-accuracy/loss-experiment.mjs";
import { plotLoss } from "../loss-accuracy/loss-plot.mjs";
import { lossProcesses, randomFor } from "../loss-accuracy/loss-processes.mjs";
import { parseOptions } from "../loss-accuracy/options.mjs";
import { streamVirtually } from "../loss-accuracy/virtual-stream.mjs";
import { renderPlot } from "../plot/render-plot.mjs";

const command = fileURLToPath(new URL("../loss-accuracy.mjs", import.meta.url));
const seed = 7;
t.comment(`seed ${seed}`);

/** Runs the command to its end. */
async function runJson(args) {
  const child = spawn(process.execPath, [command, "--json", ...args], { stdio: ["ignore", "pipe", "pipe"] });
  const output = { stdout: "", stderr: "" };
  for (const name of Object.keys(output)) {
    child[name].on("data", (chunk) => {
      output[name] += chunk;
    });
  }
  const [code] = await once(child, "close");
  const lines = output.stdout.trim().split("\n");
  return { code, stderr: output.stderr, lines: code === 0 ? lines.map((line) => JSON.parse(line)) : [] };
}

const spec = { shape: [16, 8, 8], layout: "chw" };
const share = (mask) => mask.reduce((sum, flag) => sum + flag, 0) / mask.length;
const ofElements = Object.entries(lossProcesses).filter(([, { loses }]) => loses === "elements");

t.test("what is lost at one rate is lost at every higher one, and so much as asked for", async (t) => {
  for (const [name, { plan }] of ofElements) {
    const mask = plan(spec);
    let lost = 0;
    for (let n = 0; n < 200; n++) {
      const at = (rate) => mask(randomFor(seed, name).fork(String(n)), rate);
      const [low, high] = [at(0.2), at(0.4)];
      if (low.some((flag, i) => flag === 1 && high[i] === 0)) t.fail(`${name} ${n}: not nested`);
      lost += share(low) / 200;
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

t.test("datagrams are lost alone or in bursts", async (t) => {
  for (const name of ["datagrams", "bursts"]) {
    const { start, meanRun } = lossProcesses[name];
    const { isLost } = start(randomFor(seed, name));
    const lost = Array.from({ length: 100_000 }, () => Number(isLost(0.2)));
    const runs = lost.filter((flag, i) => flag === 1 && lost[i - 1] !== 1).length;
    const all = lost.reduce((sum, flag) => sum + flag, 0);
    t.ok(Math.abs(all / lost.length - 0.2) < 0.01, `${name}: ${all}`);
    t.ok(Math.abs(all / runs - meanRun(0.2)) < 0.1 * meanRun(0.2), `${name}: runs of ${all / runs}`);
  }
  t.equal(lossProcesses.bursts.meanRun(0.2), 4);
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
    parseOptions(["--rates", "0,12.5", "--loss", "rows", "--methods", "auto,zero", "--calibrate", "10"]),
    {
      ...{ rates: [0, 0.125], processes: ["rows"], methods: ["auto", "zero"], seed: 1, forms: ["simulated"] },
      conditions: [{ codec: "raw", fec: "", interleave: "", minReceived: 0 }],
    },
  );
  const { conditions } = parseOptions([
    "--codec",
    "a",
    "--codec",
    "b",
    "--fec",
    "none",
    "--fec",
    "xor:max=9",
  ]);
  t.strictSame(conditions.map(nameCondition), ["a", "a, fec xor:max=9", "b", "b, fec xor:max=9"]);
  t.equal(conditionsOf("elements", conditions).length, 2, "error correction is nothing to elements");
  t.equal(conditionsOf("bursts", conditions).length, 4);
  for (const [args, says] of [
    [["--rates", "101"], /--rates/],
    [["--loss", "none"], /--loss: unknown "none"/],
    [["--methods", "guess"], /--methods: unknown "guess"/],
    [["--fec", "more"], /--fec: fec: unknown code "more"/],
    [["--form", "true"], /--form: unknown "true"/],
    [["--preset", "resnet56", "--model", "x"], /--preset and --model/],
    [["--calibrate", "5", "--exclude-calibration", "5"], /--calibrate and/],
  ]) {
    t.throws(() => parseOptions(args), { message: says });
  }
});

t.test("the embedded model from the repository alone", async (t) => {
  const args = ["--limit", "10", "--rates", "0,40,100", "--methods", "auto,zero", "--calibrate", "10"];
  const { code, stderr, lines } = await runJson([...args, "--loss", "elements,bursts"]);
  t.equal(code, 0, stderr);
  t.match(stderr, /Seed of the losses: 1/);
  const [head, ...points] = lines;
  t.match(head, { model: "fashion", split: "add_3", images: 10, seed: 1 });
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
  for (const spec of Object.values(plotLoss(points, head))) {
    const { svg, png } = await renderPlot(spec);
    t.match(svg, /accuracy lost with/);
    t.ok(png.length > 1_000);
  }
});

t.test("curves are monotone where they must be", async (t) => {
  const args = ["--limit", "50", "--rates", "0,15,45,70", "--methods", "auto,channel-mean,zero"];
  const { code, stderr, lines } = await runJson([...args, "--loss", "elements,channels,bursts"]);
  t.equal(code, 0, stderr);
  const [, ...points] = lines;
  for (const process of ["elements", "channels", "bursts"]) {
    for (const method of ["auto", "channel-mean", "zero"]) {
      const curve = points.filter((point) => point.process === process && point.method === method);
      t.equal(curve.length, 4);
      const rises = (of) => curve.every((point, i) => i === 0 || of(point) >= of(curve[i - 1]));
      const what = `${process}, ${method}`;
      t.ok(
        rises(({ missing }) => missing),
        `${what}: more is missing`,
      );
      t.ok(
        rises(({ complete }) => -complete),
        `${what}: fewer are complete`,
      );
      // What is lost at one rate is lost at every higher one, and zero errs by the same on each element.
      const errors = rises(({ missing, meanSquaredError: error }) => (error ?? 0) * missing);
      t.ok(errors || process === "bursts", `${what}: the error grows`);
      // A network may profit from damage on one image or two.
      const falls = curve.every((point, i) => i === 0 || point.agreement <= curve[i - 1].agreement + 2 / 50);
      t.ok(falls, `${what}: ${curve.map(({ agreement }) => agreement.toFixed(3))}`);
    }
    const at = (method) =>
      points.find((p) => p.process === process && p.method === method && p.rate === 0.45);
    t.ok(
      at("auto").meanSquaredError < at("channel-mean").meanSquaredError,
      `${process}: auto beats the mean`,
    );
  }
});

t.test("error correction and sending again bring frames back, at a price", async (t) => {
  const spec = { dtype: "float32", shape: [5_000], layout: "any" };
  const slices = sliceBytes(new Uint8Array(5_000), 1_000);
  const encoded = Array.from({ length: 300 }, () => slices);
  const options = { seed, datagram: 1_200, fps: 30, deadlineMs: 150 };
  const send = (condition, rate = 0.1) =>
    streamVirtually(encoded, {
      ...{ spec, units: 5_000, lossProcess: lossProcesses.bursts, rate, options },
      condition: { fec: "", interleave: "", minReceived: 0, ...condition },
    });
  const complete = ({ arrived }) => arrived.filter((own) => own.length === slices.length).length;
  const [none, fec, again] = [send({}), send({ fec: "rs:max=50,span=4" }), send({ minReceived: 100 })];
  t.equal(complete(send({}, 0)), 300, "nothing is lost");
  t.ok(complete(none) < 280 && complete(none) > 150, `${complete(none)} without`);
  t.ok(complete(fec) > complete(none), `${complete(fec)} with repair symbols`);
  t.ok(complete(again) > complete(none), `${complete(again)} sent again`);
  t.ok(fec.sent.repairs > 0 && fec.recoveredSlices > 0 && again.sent.repeatedSlices > 0);
  const { lostDatagrams } = none.sent;
  t.ok(lostDatagrams > 0.02 && lostDatagrams < 0.2, `${lostDatagrams} of all datagrams lost`);
});

t.test("the two forms agree within their errors or not", async (t) => {
  const row = { process: "bursts", codec: "raw", interleave: "", fec: "", minReceived: 0, method: "auto" };
  const point = (form, rate, lossDropPoints, lossDropStandardError) => {
    return { ...row, form, rate, lossDropPoints, lossDropStandardError };
  };
  const compared = compareForms([
    ...[point("simulated", 0, 0, 0), point("simulated", 0.1, 1, 0.3), point("simulated", 0.2, 2, 0.4)],
    ...[point("real", 0, 0, 0), point("real", 0.1, 1.9, 0.4), point("real", 0.2, 3.1, 0.3)],
    point("real", 0.5, 3, 1),
  ]);
  t.strictSame(
    compared.map(({ real, agrees, errors }) => [real.rate, agrees, errors.toFixed(1)]),
    [
      [0, true, "0.0"],
      [0.1, true, "1.8"],
      [0.2, false, "2.2"],
    ],
  );
});

t.test("the real stack loses as the simulated form does", async (t) => {
  const args = [
    "--limit",
    "30",
    "--rates",
    "0,30",
    "--methods",
    "auto",
    "--loss",
    "bursts",
    "--form",
    "real",
  ];
  // Fewer bytes than a busy machine carries.
  const { code, stderr, lines } = await runJson([
    ...args,
    "--deadline-ms",
    "10000",
    "--codec",
    "quantize:levels=8",
  ]);
  t.equal(code, 0, stderr);
  const [, whole, lossy] = lines;
  t.match(whole, { form: "real", rate: 0 });
  t.match(lossy, { form: "real", rate: 0.3 });
  t.ok(lossy.missing > 0.02, `${lossy.missing} missing`);
  t.ok(lossy.complete < whole.complete, `${lossy.complete} complete`);
});
