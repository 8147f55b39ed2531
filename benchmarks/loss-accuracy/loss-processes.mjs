// What of a tensor does not arrive. The same seed loses the same of every image for every method; and but for bursts, what
// is lost at one rate is lost at every higher one, so that curves differ by the rate alone.
import { createRandom } from "@sluice/simnet";
import { createLossProcess } from "../../packages/simnet/dist/loss-process.js";

/** Mean run of lost datagrams, where they come in bursts. */
export const meanBurst = 4;
/** Parts that tensors are cut into where it is not the codec that cuts. */
const parts = 8;

/** Where an element stands. */
function placeOf({ shape, layout }, element) {
  const [, second, third] = shape;
  if (layout === "hwc") {
    const place = Math.floor(element / third);
    return { channel: element % third, row: Math.floor(place / second), column: place % second };
  }
  const [height, width] = layout === "chw" ? [second, third] : [1, shape.reduce((a, b) => a * b, 1)];
  const place = element % (height * width);
  return {
    channel: Math.floor(element / (height * width)),
    row: Math.floor(place / width),
    column: place % width,
  };
}

/** Elements that belong together are lost together, each group with the probability of the rate. */
function byGroups(spec, groups, groupOf) {
  const elements = spec.shape.reduce((a, b) => a * b, 1);
  const group = Uint32Array.from({ length: elements }, (_, i) => groupOf(i));
  return (random, rate) => {
    const draws = Float64Array.from({ length: groups }, () => random.next());
    return Uint8Array.from(group, (own) => (draws[own] < rate ? 1 : 0));
  };
}

/** As many whole channels as the rate asks for, rounded; which, is chance. */
function wholeChannels(spec) {
  const elements = spec.shape.reduce((a, b) => a * b, 1);
  const channels = spec.layout === "hwc" ? spec.shape[2] : spec.layout === "chw" ? spec.shape[0] : 1;
  return (random, rate) => {
    const rank = Array.from({ length: channels }, (_, channel) => ({ channel, draw: random.next() })).sort(
      (a, b) => a.draw - b.draw,
    );
    const lost = new Set(rank.slice(0, Math.round(rate * channels)).map(({ channel }) => channel));
    return Uint8Array.from({ length: elements }, (_, i) => (lost.has(placeOf(spec, i).channel) ? 1 : 0));
  };
}

/** Loses elements after decoding. `plan(spec)` gives `mask(random, rate)`, 1 where an element is lost. */
const ofElements = (plan) => ({ loses: "elements", plan });

/**
 * Loses datagrams on the way. `start(random)` gives `isLost(rate)` for one after the other, of all images; `burst` is what
 * a link of `@sluice/simnet` loses in a row for the same, and `meanRun(rate)` the mean run that comes of it.
 */
const ofDatagrams = (burst) => ({
  loses: "datagrams",
  burst,
  meanRun: (rate) => (burst === 1 ? 1 / (1 - Math.min(rate, 0.9)) : burst),
  start(random) {
    const process = createLossProcess(random);
    return { isLost: (rate) => process.isLost(rate, burst) };
  },
});

/** The loss processes by name. */
export const lossProcesses = {
  elements: ofElements((spec) => {
    return byGroups(
      spec,
      spec.shape.reduce((a, b) => a * b, 1),
      (i) => i,
    );
  }),
  channels: ofElements(wholeChannels),
  contiguous: ofElements((spec) => {
    const elements = spec.shape.reduce((a, b) => a * b, 1);
    return byGroups(spec, parts, (i) => Math.floor((i * parts) / elements));
  }),
  interleaved: ofElements((spec) => {
    return byGroups(spec, parts, (i) => {
      const { row, column } = placeOf(spec, i);
      return (column + 3 * row) % parts;
    });
  }),
  "interleaved-channels": ofElements((spec) => {
    return byGroups(spec, parts, (i) => {
      const { channel, row, column } = placeOf(spec, i);
      return (column + 3 * row + 5 * channel) % parts;
    });
  }),
  rows: ofElements((spec) => {
    const height = spec.layout === "hwc" ? spec.shape[0] : spec.layout === "chw" ? spec.shape[1] : 1;
    return byGroups(spec, parts, (i) => Math.floor((placeOf(spec, i).row * parts) / height));
  }),
  datagrams: ofDatagrams(1),
  bursts: ofDatagrams(meanBurst),
};

/** A source of chance for a process, the same whatever else is measured. */
export const randomFor = (seed, process) => createRandom(seed).fork(process);
