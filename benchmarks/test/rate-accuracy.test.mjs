// The rate-accuracy benchmark as a command and in parts. Nothing here depends on how fast anything is.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import t from "tap";
import { renderPlot } from "../plot/render-plot.mjs";
import { bytesAtDrop } from "../rate-accuracy/bytes-at-drop.mjs";
import { experiments } from "../rate-accuracy/experiments.mjs";
import { openImageCodec } from "../rate-accuracy/image-codecs.mjs";
import { parseOptions } from "../rate-accuracy/options.mjs";
import { openWorkload } from "../rate-accuracy/workload.mjs";

const command = fileURLToPath(new URL("../rate-accuracy.mjs", import.meta.url));
const { signal } = new AbortController();

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
  const images = ["--image-codec", "jpeg:quality={20,90}", "--image-codec", "jpeg2000:ratio=2"];
  const { ended } = start(["--limit", "50", "--json", ...chains, ...images]);
  const { code, stdout, stderr } = await ended;
  t.equal(code, 0, stderr);
  const [head, ...points] = stdout.trim().split("\n").map(JSON.parse);
  t.match(head, { model: "fashion", split: "add_3", images: 50, elements: 12_544, seed: 1, datagram: 1_200 });
  t.match(head.environment, { commit: String, node: process.version, cores: Number });
  t.same(
    points.map(({ kind, text }) => [kind, text]),
    [
      ["tensor", "raw"],
      ...[4, 8, 16, 32].map((levels) => ["tensor", `quantize:levels=${levels},clip=6,per=tensor`]),
      ...["jpeg:quality=20", "jpeg:quality=90", "jpeg2000:ratio=2"].map((text) => ["image", text]),
    ],
  );
  const [raw, ...others] = points.map(({ figures }) => figures);
  t.match(raw, { dropPoints: 0, dropStandardError: 0, agreement: 1, psnrDb: null, exact: 50, missing: 0 });
  t.equal(raw.payloadBytes, 4 * 12_544);
  t.ok(raw.bytes > raw.payloadBytes && raw.bytes < 1.03 * raw.payloadBytes, "headers take under 3 %");
  t.ok(raw.top1 > 0.85, `${raw.top1}`);
  const quantized = others.slice(0, 4);
  for (let i = 1; i < quantized.length; i++) {
    t.ok(quantized[i].bytes > quantized[i - 1].bytes, "more levels, more bytes");
    t.ok(quantized[i].psnrDb > quantized[i - 1].psnrDb, "and less error");
  }
  const [coarse, fine] = others.slice(4);
  t.ok(fine.bytes > coarse.bytes && fine.psnrDb > coarse.psnrDb);
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

t.test("the quantizer experiment", async (t) => {
  const options = parseOptions([
    "--experiment",
    "quantizer",
    "--limit",
    "30",
    "--levels",
    "2,8,32",
    "--clips",
    "1,3,6",
  ]);
  const workload = await openWorkload(options, signal, experiments.quantizer);
  const seen = [];
  const points = await experiments.quantizer.run(workload, options, { signal, onPoint: (p) => seen.push(p) });
  await workload.close();
  t.same(seen, points);
  t.equal(points.length, 9);
  const errorAt = (levels, clip) =>
    points.find((point) => point.levels === levels && point.clip === clip).figures.relativeError;
  for (const clip of [1, 3, 6])
    t.ok(errorAt(32, clip) < errorAt(8, clip) && errorAt(8, clip) < errorAt(2, clip));
  t.ok(errorAt(2, 1) < errorAt(2, 6), "few levels want a narrow range");
  t.ok(errorAt(32, 6) < errorAt(32, 1), "many levels a wide one");
  t.match(experiments.quantizer.format(points, workload.description), /\| 32 \|/);
  const { svg, png } = await renderPlot(experiments.quantizer.plots(points, workload.description)[""]);
  t.ok(isPng(png));
  t.notMatch(svg, /NaN|undefined/);
});

t.test("images that were calibrated on are not evaluated", async (t) => {
  const open = (...args) =>
    openWorkload(parseOptions(["--limit", "40", ...args]), signal, { keepsTensors: true });
  const all = await open();
  const apart = await open("--calibrate", "25:1");
  const named = await open("--exclude-calibration", "25:1");
  for (const workload of [all, apart, named]) await workload.close();
  const names = ({ images }) => images.map(({ name }) => name);
  // With the same seed the first 25 are those that are left out.
  t.same(names(apart).slice(0, 15), names(all).slice(25));
  t.same(names(apart), names(named));
  t.equal(apart.images.length, 40);
  t.match(apart.description.excluded, { count: 25, seed: 1, sha256: /^[0-9a-f]{64}$/ });
  t.same(apart.description.excluded, named.description.excluded);
  t.equal(apart.statistics.samples, 25, "calibrated here");
  t.equal(named.statistics.samples, all.statistics.samples, "those beside the model");
});

t.test("image codecs give back what they were given, and headers can be left out", async (t) => {
  const shape = [32, 40, 3];
  const data = Uint8Array.from({ length: 32 * 40 * 3 }, (_, i) => 128 + 100 * Math.sin(i / 60));
  const pixels = { dtype: "uint8", shape, layout: "hwc", data };
  const sizeOf = ({ file, constantBefore, constantAfter }) => file.length - constantBefore - constantAfter;
  for (const text of ["pixels", "jpeg:quality=95", "jpeg2000:ratio=4"]) {
    const codec = await openImageCodec(text);
    const encoded = await codec.encode(pixels);
    const decoded = await codec.decode(encoded.file, shape);
    t.same(decoded.shape, shape, text);
    const worst = Math.max(...decoded.data.map((value, i) => Math.abs(value - data[i])));
    t.ok(worst <= (text === "pixels" ? 0 : 40), `${text}: off by ${worst} at most`);
    if (text === "pixels") continue;
    const bare = await (await openImageCodec(`${text},header=no`)).encode(pixels);
    t.ok(
      bare.constantBefore > 50 && sizeOf(bare) < sizeOf(encoded),
      `${text}: ${sizeOf(bare)} bytes without`,
    );
  }
  await t.rejects(openImageCodec("gif"), /known: jpeg, jpeg2000, pixels/);
  await t.rejects(openImageCodec("jpeg:quality=0"), /jpeg.quality must be 1 to 100/);
});

t.test("bytes at a drop", async (t) => {
  const points = [
    { bytes: 1_000, dropPoints: 4 },
    { bytes: 4_000, dropPoints: 0 },
    { bytes: 8_000, dropPoints: 0.5 },
  ];
  t.same(bytesAtDrop(points, 5), { bytes: 1_000, isBound: true });
  t.ok(Math.abs(bytesAtDrop(points, 2).bytes - 2_000) < 1e-6, "half-way on the logarithmic axis");
  t.equal(bytesAtDrop(points, 0.2), undefined, "the largest point decides first");
});

t.test("mistakes and what is not here", async (t) => {
  const bad = [
    [["--limit", "1"], /--limit must be an integer/],
    [["--experiment", "speed"], /known: rate, quantizer, motion/],
    [["--preset", "vgg"], /known: mobilenet/],
    [["--codec", "quantize:levels={4"], /braces/],
    [["--calibrate", "5", "--exclude-calibration", "5"], /give one of them/],
    [["--name", "../x"], /--name/],
    [["--unknown"], /--unknown/],
  ];
  for (const [args, message] of bad) t.throws(() => parseOptions(args), message, args.join(" "));
  const { SLUICE_DATA: _, ...env } = process.env;
  const skipped = await start(["--preset", "mobilenet"], env).ended;
  t.equal(skipped.code, 0);
  t.match(skipped.stderr, /preset mobilenet: skipped, neither --data nor SLUICE_DATA/);
  t.equal((await start(["--limit", "x"]).ended).code, 2);
  const unknown = await start(["--codec", "quantise"]).ended;
  t.equal(unknown.code, 1);
  t.match(unknown.stderr, /did you mean quantize/);
});

t.test("Ctrl-C ends it with nothing recorded", { skip: process.platform === "win32" }, async (t) => {
  const { child, ended } = start(["--limit", "2000", "--codec", "raw"]);
  await once(child.stderr, "data");
  child.kill("SIGINT");
  const { code, stderr } = await ended;
  t.equal(code, 130);
  t.match(stderr, /interrupted; nothing was recorded/);
});
