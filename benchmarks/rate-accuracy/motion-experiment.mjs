import { imageSizeOf } from "@sluice/inference";
import { median, quantile } from "../accuracy/quantile.mjs";
import { blockPsnr, compensate } from "./motion/compensate.mjs";
import { findClips } from "./motion/find-clips.mjs";
import { largerImages, windowOf } from "./motion/moved-images.mjs";
import { searchVectors } from "./motion/search-vectors.mjs";

/** Movements in elements of the tensor; at stride 8: 16, 32, 48 and 18, 34, 50 pixels, as in the source. */
const wholeElements = [2, 4, 6];
const directions = [
  { name: "right", dy: 0, dx: 1 },
  { name: "down", dy: 1, dx: 0 },
  { name: "both", dy: 1, dx: 1 },
];
/** Distances between a frame of a clip and its reference, in frames. */
const gaps = [1, 5];

/** Elements at each edge where the network sees its own padding; the experiment is reported with and without. */
const borderOf = (columns) => Math.min(4, Math.floor(columns / 7));

const summary = (values) => ({
  ...{ n: values.length, median: median(values), low: quantile(values, 0.1), high: quantile(values, 0.9) },
  exact: values.filter((value) => !Number.isFinite(value)).length,
});

/** JSON has no infinity; what came out exactly is counted in `exact`. */
const finite = (figures) =>
  Object.fromEntries(
    Object.entries(figures).map(([name, value]) => [name, value === Number.POSITIVE_INFINITY ? null : value]),
  );

/** Where what moved in from outside is not looked at; `border` more elements are left out at every edge. */
function visible([, rows, columns], dy, dx, border) {
  const [top, left] = [Math.ceil(dy) + border, Math.ceil(dx) + border];
  return { top, left, height: rows - top - border, width: columns - left - border };
}

function vectorsFor(dy, dx) {
  return {
    none: { dy: 0, dx: 0 },
    whole: { dy: -Math.round(dy), dx: -Math.round(dx) },
    fractional: { dy: -dy, dx: -dx },
  };
}

async function measureMoves(workload, options, signal) {
  const { network, model } = workload;
  const { shape } = network.spec;
  const stride = Math.round(imageSizeOf(model.input).width / shape[2]);
  const pixels = [0, Math.max(1, stride / 4)].flatMap((extra) =>
    wholeElements.map((elements) => elements * stride + extra),
  );
  const margin = 2 * Math.ceil(Math.max(...pixels) / 2);
  const found = new Map();
  const note = (key, value) => found.set(key, [...(found.get(key) ?? []), value]);
  const prediction = new Float32Array(network.spec.shape.reduce((a, b) => a * b, 1));
  const everything = { top: 0, left: 0, height: shape[1], width: shape[2] };
  for await (const image of largerImages(workload, margin, options.seed, options.limit)) {
    signal.throwIfAborted();
    const moves = pixels.flatMap((moved) => directions.map((direction) => ({ moved, ...direction })));
    const windows = moves.map(({ moved, dy, dx }) =>
      windowOf(image, model, margin - moved * dy, margin - moved * dx),
    );
    const [reference, ...tensors] = await network.head([windowOf(image, model, margin, margin), ...windows]);
    moves.forEach(({ moved, dy, dx }, i) => {
      const distance = moved / stride;
      for (const [method, vector] of Object.entries(vectorsFor(distance * dy, distance * dx))) {
        compensate(reference.data, shape, everything, vector, prediction);
        for (const [area, border] of [
          ["all", 0],
          ["inner", borderOf(shape[2])],
        ]) {
          const block = visible(shape, distance * dy, distance * dx, border);
          note(`${moved} ${method} ${area}`, blockPsnr(tensors[i].data, prediction, shape, block));
        }
      }
    });
  }
  return [...found].map(([key, values]) => {
    const [moved, method, area] = key.split(" ");
    const text = `input moved by ${moved} pixels, ${method}, ${area}`;
    return {
      kind: "moved",
      text,
      pixels: Number(moved),
      stride,
      method,
      area,
      figures: finite(summary(values)),
    };
  });
}

async function measureClip({ name, frames }, workload, signal) {
  const { network } = workload;
  const { shape } = network.spec;
  const whole = { top: 0, left: 0, height: shape[1], width: shape[2] };
  const before = [];
  const found = new Map();
  const note = (gap, method, value) =>
    found.set(`${gap} ${method}`, [...(found.get(`${gap} ${method}`) ?? []), value]);
  for await (const frame of frames()) {
    signal.throwIfAborted();
    const [{ data: tensor }] = await network.head([frame]);
    for (const gap of gaps) {
      const reference = before.at(-gap);
      if (reference === undefined) continue;
      const predictions = { none: reference, ...searchVectors(tensor, reference, shape) };
      for (const [method, prediction] of Object.entries(predictions)) {
        note(gap, method, blockPsnr(tensor, prediction, shape, whole));
      }
    }
    before.push(tensor);
    if (before.length > Math.max(...gaps)) before.shift();
  }
  return [...found].map(([key, values]) => {
    const [gap, method] = key.split(" ");
    const text = `${name}, ${gap} frames before, ${method}`;
    return { kind: "clip", text, clip: name, gap: Number(gap), method, figures: finite(summary(values)) };
  });
}

/**
 * How well a tensor is predicted from another one: of the same image moved, where the vector is known, and of frames
 * before in a clip, where it is searched for block by block.
 * @returns points of the kinds `moved` and `clip` with the PSNR's median and its 10th and 90th percentile in dB, and
 *   one of the kind `skipped` with its reason where clips cannot be measured
 */
export async function runMotion(workload, options, { signal, onPoint }) {
  const points = await measureMoves(workload, options, signal);
  for (const point of points) onPoint(point, points.length);
  const { skipped, clips = [] } = await findClips(options, workload);
  if (skipped !== undefined) points.push({ kind: "skipped", text: "clips", reason: skipped });
  for (const clip of clips) {
    const measured = await measureClip(clip, workload, signal);
    points.push(...measured);
    for (const point of measured) onPoint(point, points.length);
  }
  return points;
}
