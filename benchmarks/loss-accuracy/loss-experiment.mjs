import { createConcealer, needsStatistics } from "@sluice/concealment";
import { maxSlicePayloadBytes } from "@sluice/protocol";
import { openCodec } from "../accuracy/codec-under-test.mjs";
import { comparePredictions } from "../accuracy/compare-predictions.mjs";
import { median } from "../accuracy/quantile.mjs";
import { lossProcesses, randomFor } from "./loss-processes.mjs";

/** What an image is classified as of which nothing came. */
const undecodable = -1;

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

/** What of each image comes out of the decoder, one image after the other. */
function createReceiver(process, codec, spec, maxPayloadBytes, seed, rate) {
  const { loses, plan, start } = lossProcesses[process];
  const random = randomFor(seed, process);
  const mask = loses === "elements" ? plan(spec) : undefined;
  const slicesLost = loses === "slices" ? start(random) : undefined;
  return {
    receive(tensor, index) {
      const slices = codec.encode(tensor, maxPayloadBytes);
      const came = slicesLost ? slices.filter(() => !slicesLost.isLost(rate)) : slices;
      const decoded = codec.decode(came);
      if (!mask) return { ...decoded, slices: slices.length, cameSlices: came.length };
      const missing = mask(random.fork(String(index)), rate);
      let missingCount = 0;
      for (let i = 0; i < missing.length; i++) {
        if (missing[i] === 0 && decoded.missing[i] !== 0) missing[i] = 1;
        // What did not come is not there to be looked at.
        if (missing[i] !== 0) decoded.tensor.data[i] = 0;
        missingCount += missing[i];
      }
      return {
        tensor: decoded.tensor,
        missing,
        missingCount,
        slices: slices.length,
        cameSlices: slices.length,
      };
    },
  };
}

function squaredError(sent, got, missing) {
  let sum = 0;
  for (let i = 0; i < sent.length; i++) if (missing[i] !== 0) sum += (sent[i] - got[i]) ** 2;
  return sum;
}

/** What one method made of one loss process at one rate. */
function createFigures(method, concealer) {
  return { method, concealer, predictions: [], times: [], squares: 0, fills: [] };
}

async function measureRate(workload, { process, rate, methods, codec, maxPayloadBytes, seed }, signal) {
  const { network, images, statistics } = workload;
  const { spec } = network;
  const all = methods.map((method) =>
    createFigures(method, createConcealer(spec, method, statistics ? { statistics } : {})),
  );
  const receiver = createReceiver(process, codec, spec, maxPayloadBytes, seed, rate);
  const totals = { missing: 0, complete: 0, undecodable: 0, slices: 0, lostSlices: 0 };
  await network.inBatches(images, async (batch, first) => {
    signal.throwIfAborted();
    const received = batch.map(({ tensor }, i) => receiver.receive(tensor, first + i));
    for (const { missingCount, tensor, slices, cameSlices } of received) {
      totals.missing += missingCount / tensor.data.length;
      if (missingCount === 0) totals.complete++;
      if (missingCount === tensor.data.length) totals.undecodable++;
      totals.slices += slices;
      totals.lostSlices += slices - cameSlices;
    }
    for (const figures of all) {
      const filled = [];
      received.forEach(({ tensor, missing, missingCount }, i) => {
        if (missingCount === tensor.data.length) return;
        const copy = { ...tensor, data: tensor.data.slice() };
        if (missingCount > 0) {
          const startMs = performance.now();
          figures.concealer.conceal(copy, missing);
          figures.times.push(performance.now() - startMs);
          figures.squares += squaredError(batch[i].tensor.data, copy.data, missing);
        }
        filled.push(copy);
      });
      const classes = filled.length === 0 ? [] : await network.tail(filled);
      for (const { tensor, missingCount } of received) {
        figures.predictions.push(missingCount === tensor.data.length ? undecodable : classes.shift());
      }
    }
  });
  const labels = images.map(({ label }) => label);
  const base = images.map((image) => image.base);
  const elements = images[0].tensor.data.length;
  return all.map(({ method, predictions, times, squares }) => ({
    ...{ process, rate, method },
    missing: totals.missing / images.length,
    complete: totals.complete / images.length,
    undecodable: totals.undecodable / images.length,
    slices: totals.slices / images.length,
    lostSlices: totals.lostSlices / totals.slices,
    // Of the missing elements of frames that could be decoded.
    meanSquaredError:
      totals.missing > totals.undecodable
        ? squares / ((totals.missing - totals.undecodable) * elements)
        : null,
    ...comparePredictions(labels, base, predictions),
    concealMs: times.length === 0 ? null : median(times),
  }));
}

/**
 * Measures every loss process at every rate with every method, on the same images and the same losses.
 * @param options.codec text of the chain that tensors go through
 * @param onPoint called with each as soon as it is measured, and the number of all
 */
export async function runLoss(workload, options, { signal, onPoint }) {
  const { network, statistics } = workload;
  const codec = await openCodec(options.codec, network.spec, { statistics });
  const methods = usableMethods(options.methods, workload);
  const maxPayloadBytes = maxSlicePayloadBytes(options.datagram);
  const points = [];
  const total = options.processes.length * options.rates.length * methods.length;
  for (const process of options.processes) {
    for (const rate of options.rates) {
      const { seed } = options;
      const common = { process, rate, methods, codec, maxPayloadBytes, seed };
      for (const point of await measureRate(workload, common, signal)) {
        points.push(point);
        onPoint(point, total);
      }
    }
  }
  return points;
}
