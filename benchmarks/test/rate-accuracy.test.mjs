// The parts of the rate-accuracy benchmark. Nothing here depends on how fast anything is.
import { createHash } from "node:crypto";
import t from "tap";
import { openImages, takeImages } from "../accuracy/open-images.mjs";
import { createWire } from "../accuracy/wire.mjs";
import { renderPlot } from "../plot/render-plot.mjs";
import { bytesAtLoss, lossesOf } from "../rate-accuracy/bytes-at-loss.mjs";
import { experiments } from "../rate-accuracy/experiments.mjs";
import { openImageCodec } from "../rate-accuracy/image-codecs.mjs";
import { measure } from "../rate-accuracy/measure.mjs";
import { parseOptions } from "../rate-accuracy/options.mjs";
import { ratioAtEqualError } from "../rate-accuracy/ratio-at-equal-error.mjs";
import { openWorkload } from "../rate-accuracy/workload.mjs";

const { signal } = new AbortController();
const isPng = (bytes) => Buffer.from(bytes.subarray(1, 4)).toString() === "PNG";

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
  const options = parseOptions(["--limit", "20", "--calibrate", "15:1", "--codec", "raw"]);
  const apart = await openWorkload(options, signal, { keepsTensors: true });
  await apart.close();
  const images = await openImages("test-images", apart.model, []);
  const first = (await takeImages(images, 1, 35)).map(({ name }) => name);
  t.same(
    apart.images.map(({ name }) => name),
    first.slice(15),
    "with the same seed the first 15 are those that are left out",
  );
  const sha256 = createHash("sha256").update(first.slice(0, 15).join("\n")).digest("hex");
  t.same(apart.description.excluded, { count: 15, seed: 1, sha256, first: first.slice(0, 5) });
  t.equal(apart.statistics.samples, 15, "calibrated here");
  t.equal(apart.statistics.transform, undefined, "for the codec sluice only where it is named");
  t.equal(parseOptions(["--exclude-calibration", "15"]).calibration.measuredHere, false);
});

t.test("each half of the images is evaluated by statistics of the other", async (t) => {
  const options = parseOptions(["--limit", "21", "--cross-calibrate", "--codec", "raw"]);
  const workload = await openWorkload(options, signal, { keepsTensors: true });
  await workload.close();
  const { halves, images, description } = workload;
  t.match(description.statistics, /other/);
  for (const half of [0, 1]) {
    const others = images.filter((image) => image.half === 1 - half);
    t.equal(halves[half].samples, others.length);
    const sum = others.reduce((total, { tensor }) => total + tensor.data[100], 0);
    t.ok(Math.abs(halves[half].meanElement[100] - sum / others.length) < 1e-4);
  }
  const asked = [[], []];
  const codecs = asked.map((list) => ({
    encode: (tensor) => {
      list.push(tensor);
      return [{ index: 0, count: 1, payload: new Uint8Array(1) }];
    },
    decode: () => ({ tensor: images[0].tensor, missingCount: 0 }),
  }));
  await measure({
    ...{ codecs, signal, wire: createWire(1200), maxPayloadBytes: 1000 },
    images: images.map(({ label, base, half, tensor }) => ({ label, base, half, sent: tensor })),
    network: workload.network,
    classify: async (tensors) => tensors.map(() => 0),
  });
  for (const [half, list] of asked.entries()) {
    t.same(
      list.map((tensor) => images.find((image) => image.tensor === tensor).half),
      list.map(() => half),
    );
  }
  t.equal(asked[0].length, 11);
  t.equal(asked[1].length, 10);
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

t.test("bytes at a drop and at an agreement", async (t) => {
  const points = [
    { bytes: 1_000, dropPoints: 4, agreement: 0.9 },
    { bytes: 4_000, dropPoints: 0, agreement: 0.98 },
    { bytes: 8_000, dropPoints: 0.5, agreement: 0.99 },
  ];
  const atDrop = (target) => bytesAtLoss(points, target, lossesOf.drop);
  t.same(atDrop(5), { bytes: 1_000, isBound: true });
  t.ok(Math.abs(atDrop(2).bytes - 2_000) < 1e-6, "half-way on the logarithmic axis");
  t.equal(atDrop(0.2), undefined, "the largest point decides first");
  t.ok(Math.abs(bytesAtLoss(points, 6, lossesOf.disagreement).bytes - 2_000) < 1e-6);
});

t.test("bytes at equal error", async (t) => {
  const curve = (scale, offset) =>
    [1, 2, 4, 8].map((bytes, i) => ({ bytes: scale * bytes, psnrDb: 20 + 6 * i + offset }));
  const near = (actual, expected) => t.ok(Math.abs(actual - expected) < 1e-9, `${actual}`);
  near(ratioAtEqualError(curve(1, 0), curve(1, 0)), 1);
  near(ratioAtEqualError(curve(0.7, 0), curve(1, 0)), 0.7);
  near(ratioAtEqualError(curve(1, 6), curve(1, 0)), 0.5);
  t.equal(ratioAtEqualError(curve(1, 60), curve(1, 0)), undefined, "no PSNR in common");
  t.equal(ratioAtEqualError(curve(1, 0).slice(1, 2), curve(1, 0)), undefined, "a point is no curve");
});

t.test("the stream experiment on a still image, panned", async (t) => {
  const args = ["--experiment", "stream", "--clips-limit", "25", "--codec", "quantize:levels={8,32}"];
  const options = { ...parseOptions(args), data: undefined };
  const workload = await openWorkload(options, signal, experiments.stream);
  const points = await experiments.stream.run(workload, options, { signal, onPoint() {} });
  await workload.close();
  t.match(points, [
    { kind: "stream", mode: "intra", figures: { n: 25 } },
    { kind: "stream", mode: "intra", figures: { n: 25 } },
    { kind: "skipped", reason: /grey/ },
  ]);
  const [coarse, fine] = points.map(({ figures }) => figures);
  t.ok(fine.bytes > coarse.bytes && fine.psnrDb > coarse.psnrDb && fine.agreement >= 0.9);
  t.match(experiments.stream.format(points, workload.description), /Clips skipped: the model takes grey/);
  const { svg } = await renderPlot(experiments.stream.plots(points, workload.description)[""]);
  t.match(svg, /a still image, panned/);
  t.notMatch(svg, /NaN|undefined/);
});
