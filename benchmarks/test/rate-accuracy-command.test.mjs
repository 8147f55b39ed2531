// The rate-accuracy benchmark as a command. Nothing here depends on how fast anything is.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import t from "tap";
import { checkCodec } from "../accuracy/codec-under-test.mjs";
import { renderPlot } from "../plot/render-plot.mjs";
import { experiments } from "../rate-accuracy/experiments.mjs";
import { parseOptions } from "../rate-accuracy/options.mjs";

const command = fileURLToPath(new URL("../rate-accuracy.mjs", import.meta.url));

function start(args, env = process.env) {
  const child = spawn(process.execPath, [command, ...args], { env, stdio: ["ignore", "pipe", "pipe"] });
  const output = { stdout: "", stderr: "" };
  for (const name of Object.keys(output)) {
    child[name].on("data", (chunk) => {
      output[name] += chunk;
    });
  }
  const ended = once(child, "close").then(([code]) => ({ code, ...output }));
  return { child, ended };
}

const isPng = (bytes) => Buffer.from(bytes.subarray(1, 4)).toString() === "PNG";

t.test("the embedded model from the repository alone", async (t) => {
  const chains = ["--codec", "raw", "--codec", "quantize:levels={4,8,16,32},clip=6,per=tensor"];
  const images = [
    "--image-codec",
    "jpeg:quality={20,90}",
    "--image-codec",
    "jpeg2000:ratio=2",
    "--image-codec",
    "pixels",
  ];
  const { ended } = start(["--limit", "25", "--json", ...chains, ...images]);
  const { code, stdout, stderr } = await ended;
  t.equal(code, 0, stderr);
  const [head, ...points] = stdout.trim().split("\n").map(JSON.parse);
  t.match(head, { model: "fashion", split: "add_3", images: 25, elements: 12_544, seed: 1, datagram: 1_200 });
  t.match(head.environment, { commit: String, node: process.version, cores: Number });
  t.same(
    points.map(({ kind, text }) => [kind, text]),
    [
      ["tensor", "raw"],
      ...[4, 8, 16, 32].map((levels) => ["tensor", `quantize:levels=${levels},clip=6,per=tensor`]),
      ...["jpeg:quality=20", "jpeg:quality=90", "jpeg2000:ratio=2", "pixels"].map((text) => ["image", text]),
    ],
  );
  const [raw, ...others] = points.map(({ figures }) => figures);
  t.match(raw, { dropPoints: 0, dropStandardError: 0, agreement: 1, psnrDb: null, exact: 25, missing: 0 });
  t.equal(raw.payloadBytes, 4 * 12_544);
  t.ok(raw.bytes > raw.payloadBytes && raw.bytes < 1.03 * raw.payloadBytes, "headers take under 3 %");
  t.ok(raw.top1 > 0.8, `${raw.top1}`);
  const quantized = others.slice(0, 4);
  for (let i = 1; i < quantized.length; i++) {
    t.ok(quantized[i].bytes > quantized[i - 1].bytes, "more levels, more bytes");
    t.ok(quantized[i].psnrDb > quantized[i - 1].psnrDb, "and less error");
  }
  const [coarse, fine] = others.slice(4);
  t.ok(fine.bytes > coarse.bytes && fine.psnrDb > coarse.psnrDb);
  const pixels = others.at(-1);
  t.match(pixels, { payloadBytes: 784, exact: 25 });
  t.ok(pixels.agreement >= 0.98, "the whole network and its halves agree");
  for (const figures of others) {
    t.equal(figures.baseTop1, raw.baseTop1);
    t.ok(Math.abs(figures.dropPoints - 100 * (raw.baseTop1 - figures.top1)) < 1e-9);
    t.ok(
      figures.agreement <= 1 && figures.bitsPerElement > 0 && figures.encodeMs > 0 && figures.decodeMs > 0,
    );
  }
  t.test("its tables and its plot", async (t) => {
    const report = experiments.rate.format(points, head);
    for (const { text } of points) t.ok(report.includes(`\`${text}\``), text);
    const { svg, png } = await renderPlot(experiments.rate.plots(points, head)[""]);
    t.ok(isPng(png));
    for (const series of ["raw", "quantize:levels=…", "image: jpeg:quality=…"])
      t.ok(svg.includes(series), series);
    t.notMatch(svg, /NaN|undefined/);
  });
});

t.test("mistakes and what is not here", async (t) => {
  const bad = [
    [["--limit", "1"], /--limit must be an integer/],
    [["--experiment", "speed"], /known: rate, quantizer, motion, stream/],
    [["--preset", "vgg"], /known: mobilenet/],
    [["--codec", "quantize:levels={4"], /braces/],
    [["--calibrate", "5", "--exclude-calibration", "5"], /give one of them/],
    [["--calibrate", "5", "--cross-calibrate"], /--cross-calibrate and --calibrate: give one/],
    [["--experiment", "motion", "--cross-calibrate"], /not with --experiment motion/],
    [["--name", "../x"], /--name/],
    [["--unknown"], /--unknown/],
  ];
  for (const [args, message] of bad) t.throws(() => parseOptions(args), message, args.join(" "));
  const { SLUICE_DATA: _, ...env } = process.env;
  const skipped = await start(["--preset", "mobilenet"], env).ended;
  t.equal(skipped.code, 0);
  t.match(skipped.stderr, /preset mobilenet: skipped, neither --data nor SLUICE_DATA/);
  await t.rejects(checkCodec("quantise"), /did you mean quantize/);
});

t.test("Ctrl-C ends it with nothing recorded", { skip: process.platform === "win32" }, async (t) => {
  const { child, ended } = start(["--limit", "2000", "--codec", "raw"]);
  await once(child.stderr, "data");
  child.kill("SIGINT");
  const { code, stderr } = await ended;
  t.equal(code, 130);
  t.match(stderr, /interrupted; nothing was recorded/);
});
