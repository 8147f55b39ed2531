import { needsStatistics } from "@sluice/concealment";
import { openCodec } from "../accuracy/codec-under-test.mjs";
import { comparePredictions } from "../accuracy/compare-predictions.mjs";
import { conditionsOf, isUnder, losesDatagrams } from "./conditions.mjs";
import { streamReally } from "./real-form.mjs";
import { payloadBytes, simulate } from "./simulated-form.mjs";

/** Images of which the cost of slicing is measured, by encoding them a second time. */
const slicedTwice = 100;
/** No slice is larger than what a tensor of the largest size takes as float32. */
const unlimitedBytes = 1 << 26;

/** Images in a row whose losses hang together where datagrams are lost: bursts and repair symbols span some frames. */
const burstBlock = 16;

/** The methods that can be measured here: those that need statistics where there are some. */
export function usableMethods(methods, { statistics, network }) {
  const usable = [];
  for (const method of methods) {
    if (needsStatistics(method) && statistics === undefined) continue;
    if (method === "inter-channel" && (!statistics.neighbours || network.spec.layout === "any")) continue;
    usable.push(method);
  }
  return usable;
}

const sizeOf = (slices) => slices.reduce((sum, { payload }) => sum + payload.length, 0);

/** Every image's slices, what is predicted without loss, and what slicing costs: once for each condition. */
async function prepareCondition({ network, images, statistics }, condition, options, signal) {
  const { codec: text, interleave } = condition;
  const codec = await openCodec(text, network.spec, { statistics, interleave });
  const most = payloadBytes(options, condition);
  const encoded = [];
  const intact = [];
  await network.inBatches(images, async (batch) => {
    signal.throwIfAborted();
    const decoded = batch.map(({ tensor }) => {
      encoded.push(codec.encode(tensor, most));
      return codec.decode(encoded.at(-1)).tensor;
    });
    intact.push(...(await network.tail(decoded)));
  });
  const contiguous = await openCodec(text, network.spec, { statistics });
  let wholeBytes = 0;
  for (const { tensor } of images.slice(0, slicedTwice)) {
    wholeBytes += sizeOf(contiguous.encode(tensor, unlimitedBytes));
  }
  const slicedBytes = encoded.slice(0, slicedTwice).reduce((sum, slices) => sum + sizeOf(slices), 0);
  return { codec, encoded, intact, slicingCost: slicedBytes / wholeBytes - 1 };
}

function compare({ images }, { intact }, predictions, process) {
  const blockSize = losesDatagrams(process) ? burstBlock : 1;
  const labels = images.map(({ label }) => label);
  const base = images.map((image) => image.base);
  const ofLoss = comparePredictions(labels, intact, predictions, blockSize);
  // Of the loss alone: against the same codec without loss. `agreement` and `dropPoints` are against the network as it is.
  return {
    ...comparePredictions(labels, base, predictions, blockSize),
    ...{ lossDropPoints: ofLoss.dropPoints, lossDropStandardError: ofLoss.dropStandardError },
    lossAgreement: ofLoss.agreement,
  };
}

/** The conditions that their codecs can meet; `onSkipped` is told of the others. */
export async function usableConditions({ network, statistics }, conditions, onSkipped) {
  const usable = [];
  for (const condition of conditions) {
    const { codec, interleave } = condition;
    try {
      await openCodec(codec, network.spec, { statistics, interleave });
      usable.push(condition);
    } catch (error) {
      if (interleave === "" || !error.field?.startsWith("interleave")) throw error;
      onSkipped(condition, error.message);
    }
  }
  if (usable.length === 0) throw new Error("no codec can be interleaved so");
  return usable;
}

/** Every combination to be measured in a form, for progress too. */
function listRuns({ processes, rates, conditions }, form) {
  const own = processes.filter((process) => form === "simulated" || losesDatagrams(process));
  return own.flatMap((process) =>
    conditionsOf(process, conditions).flatMap((condition) =>
      rates.map((rate) => ({ process, condition, rate })),
    ),
  );
}

/**
 * Measures every loss process at every rate under every condition with every method, on the same images; all methods of
 * the simulated form see the same losses.
 * @param options.conditions codec, interleaving and error correction; `options.forms`: `simulated`, `real` or both
 * @param onPoint called with each as soon as it is measured, and the number of all
 */
export async function runLoss(workload, options, { signal, onPoint }) {
  const methods = usableMethods(options.methods, workload);
  const prepared = new Map();
  const prepare = async (condition) => {
    const key = JSON.stringify(condition);
    if (!prepared.has(key)) {
      // Slices of all images: those of one condition are enough to hold.
      prepared.clear();
      prepared.set(key, await prepareCondition(workload, condition, options, signal));
    }
    return prepared.get(key);
  };
  const runs = options.forms.flatMap((form) =>
    listRuns(options, form).map(({ process, condition, rate }) => ({ form, process, condition, rate })),
  );
  const total = runs.length * methods.length;
  const points = [];
  // By condition first, for what is prepared for one is large.
  const order = [...runs].sort(
    (a, b) => options.conditions.indexOf(a.condition) - options.conditions.indexOf(b.condition),
  );
  for (const { form, process, condition, rate } of order) {
    const ready = await prepare(condition);
    const run = { process, rate, condition, options };
    const measure = form === "simulated" ? simulate : streamReally;
    const measured = await measure(workload, { ...ready, methods, run }, signal);
    for (const { method, predictions, figures } of measured) {
      const where = { form, process, ...condition, rate, method };
      const { slicingCost } = ready;
      const point = { ...where, ...figures, slicingCost, ...compare(workload, ready, predictions, process) };
      points.push(point);
      onPoint(point, total);
    }
  }
  return points.sort((a, b) => orderOf(a, options) - orderOf(b, options));
}

/** Points by form, process, condition and rate, in the order of the command line. */
function orderOf({ form, process, rate, ...point }, options) {
  const { forms, processes, conditions, rates } = options;
  const place = conditions.findIndex((condition) => isUnder(point, condition));
  const digits = [
    [forms.indexOf(form), forms.length],
    [processes.indexOf(process), processes.length],
    [place, conditions.length],
    [rates.indexOf(rate), rates.length],
  ];
  return digits.reduce((sum, [digit, base]) => sum * base + digit, 0);
}
