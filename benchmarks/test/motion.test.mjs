// Motion compensation and the search for vectors, on tensors whose motion is known.
import { createSeededRandom } from "@sluice/inference";
import t from "tap";
import { renderPlot } from "../plot/render-plot.mjs";
import { experiments } from "../rate-accuracy/experiments.mjs";
import { blockPsnr, compensate } from "../rate-accuracy/motion/compensate.mjs";
import { searchVectors } from "../rate-accuracy/motion/search-vectors.mjs";
import { parseOptions } from "../rate-accuracy/options.mjs";
import { openWorkload } from "../rate-accuracy/workload.mjs";

const shape = [3, 12, 12];
const everything = { top: 0, left: 0, height: 12, width: 12 };
const inner = { top: 3, left: 3, height: 6, width: 6 };
const seed = 7;

function noise() {
  const random = createSeededRandom(seed);
  return Float32Array.from({ length: 3 * 12 * 12 }, () => random());
}

/** A plane that rises by `perRow` and `perColumn`. */
const ramp = (perRow, perColumn) =>
  Float32Array.from(
    { length: 3 * 12 * 12 },
    (_, i) => perRow * (Math.floor(i / 12) % 12) + perColumn * (i % 12),
  );

t.test("whole vectors take elements as they are, others lie on the line between them", async (t) => {
  const reference = noise();
  const moved = new Float32Array(reference.length);
  compensate(reference, shape, everything, { dy: 1, dx: -2 }, moved);
  t.equal(moved[144 + 5 * 12 + 6], reference[144 + 6 * 12 + 4]);
  t.equal(moved[11 * 12], reference[11 * 12], "beyond the edge the edge");
  const rising = ramp(4, 1);
  compensate(rising, shape, everything, { dy: 0.5, dx: -0.25 }, moved);
  t.equal(moved[5 * 12 + 6], rising[5 * 12 + 6] + 2 - 0.25);
});

t.test(`the search finds the vectors (seed ${seed})`, async (t) => {
  const reference = noise();
  const moved = new Float32Array(reference.length);
  compensate(reference, shape, everything, { dy: -2, dx: 3 }, moved);
  const { whole, fractional } = searchVectors(moved, reference, shape);
  t.equal(blockPsnr(moved, whole, shape, inner), Number.POSITIVE_INFINITY, "exact away from the edges");
  t.equal(blockPsnr(moved, fractional, shape, inner), Number.POSITIVE_INFINITY);
  compensate(reference, shape, everything, { dy: 1.25, dx: 0.5 }, moved);
  const between = searchVectors(moved, reference, shape);
  t.ok(blockPsnr(moved, between.fractional, shape, inner) > 100, "in quarters too");
  t.ok(blockPsnr(moved, between.whole, shape, inner) < 30, "which whole vectors cannot");
});

t.test("the embedded model's inputs, moved", async (t) => {
  const options = { ...parseOptions(["--experiment", "motion", "--limit", "3"]), data: undefined };
  const { signal } = new AbortController();
  const workload = await openWorkload(options, signal, experiments.motion);
  const points = await experiments.motion.run(workload, options, { signal, onPoint() {} });
  await workload.close();
  const at = (pixels, method, area) =>
    points.find((p) => p.pixels === pixels && p.method === method && p.area === area).figures;
  t.same([...new Set(points.map(({ pixels }) => pixels))], [4, 8, 12, 5, 9, 13, undefined]);
  for (const pixels of [4, 8, 12]) {
    t.equal(at(pixels, "whole", "inner").n, 9, "three images in three directions");
    t.ok(at(pixels, "none", "all").median < at(pixels, "whole", "all").median, "the vector helps");
    t.ok(at(pixels, "whole", "all").median < at(pixels, "whole", "inner").median, "edges are worse");
    t.same(at(pixels, "fractional", "all"), at(pixels, "whole", "all"), "whole vectors have no fractions");
  }
  t.match(points.at(-1), { kind: "skipped", reason: /grey/ });
  t.match(experiments.motion.format(points, workload.description), /Skipped: the model takes grey images/);
  const { svg } = await renderPlot(experiments.motion.plots(points, workload.description)[""]);
  t.match(svg, /12 pixels \(6 elements\)/);
  t.notMatch(svg, /NaN|undefined/);
});

const skip = process.env.SLUICE_DATA === undefined ? "SLUICE_DATA is not set: no published networks" : false;
t.test("a stride of 8 moves MobileNet's tensor as a whole", { skip }, async (t) => {
  const args = ["--experiment", "motion", "--preset", "mobilenet", "--limit", "2", "--clips-limit", "7"];
  const options = parseOptions(args);
  const { signal } = new AbortController();
  const workload = await openWorkload(options, signal, experiments.motion);
  const points = await experiments.motion.run(workload, options, { signal, onPoint() {} });
  await workload.close();
  for (const pixels of [16, 32, 48]) {
    const { figures } = points.find((p) => p.pixels === pixels && p.method === "whole" && p.area === "inner");
    t.equal(figures.exact, 6, `${pixels} pixels: exact away from the edges`);
  }
  for (const { method, area, figures } of points.filter(({ pixels }) => pixels === 18)) {
    t.ok(figures.median > 10 && figures.median < 60, `18 pixels, ${method}, ${area}: ${figures.median} dB`);
  }
  const skipped = points.find(({ kind }) => kind === "skipped");
  if (skipped !== undefined) return t.comment(`clips: ${skipped.reason}`);
  const clips = points.filter(({ kind }) => kind === "clip");
  t.equal(clips.length, 2 * 2 * 3, "two clips, two gaps, three methods");
  for (const { gap, figures } of clips) t.equal(figures.n, 7 - gap);
});
