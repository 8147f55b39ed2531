// Losses without a transport: datagrams by the protocol's own cores on virtual time, elements after decoding.
import { createConcealer, createLastTensor, usesReference } from "@sluice/concealment";
import { maxSlicePayloadBytes } from "@sluice/protocol";
import { fecReserveBytes } from "../../packages/protocol/dist/fec/fec-sender.js";
import { median } from "../accuracy/quantile.mjs";
import { losesDatagrams } from "./conditions.mjs";
import { lossProcesses, randomFor } from "./loss-processes.mjs";
import { streamVirtually } from "./virtual-stream.mjs";

/** What an image is classified as of which nothing came. */
export const undecodable = -1;

/** Slices as large as a client would make them. */
export function payloadBytes({ datagram }, { fec }) {
  return maxSlicePayloadBytes(datagram - (fec === "" ? 0 : fecReserveBytes));
}

/** Takes elements of a decoded tensor away. */
function loseElements({ tensor, missing: absent }, missing) {
  let missingCount = 0;
  for (let i = 0; i < missing.length; i++) {
    if (missing[i] === 0 && absent[i] !== 0) missing[i] = 1;
    // What did not come is not there to be looked at.
    if (missing[i] !== 0) tensor.data[i] = 0;
    missingCount += missing[i];
  }
  return { tensor, missing, missingCount };
}

/** What comes of each image, by its place, and what was sent for it where that is told. */
function createReceiver({ codec, encoded, run }, spec) {
  const { process, rate, condition, options } = run;
  const lossProcess = lossProcesses[process];
  if (losesDatagrams(process)) {
    const where = { spec, units: codec.units, lossProcess, rate, condition, options };
    const { arrived, recoveredSlices, turnedAway, sent } = streamVirtually(encoded, where);
    const figures = { ...sent, turnedAway, recoveredSlices: recoveredSlices / encoded.length };
    return { figures, receive: (index) => codec.decode(arrived[index]) };
  }
  const mask = lossProcess.plan(spec);
  const random = randomFor(options.seed, process);
  return {
    figures: {},
    receive: (index) => loseElements(codec.decode(encoded[index]), mask(random.fork(String(index)), rate)),
  };
}

function squaredError(sent, got, missing) {
  let sum = 0;
  for (let i = 0; i < sent.length; i++) if (missing[i] !== 0) sum += (sent[i] - got[i]) ** 2;
  return sum;
}

const isDecodable = ({ missingCount, tensor }) => missingCount < tensor.data.length;

/** What one method makes of one loss process at one rate. */
function createFigures(method, { network, statistics }, process) {
  const concealer = createConcealer(network.spec, method, statistics ? { statistics } : {});
  // Where datagrams are lost the tensors are a stream, and gaps are filled from the last good one as a server does.
  const last = losesDatagrams(process) && usesReference(method) ? createLastTensor() : undefined;
  return { method, concealer, last, predictions: [], times: [], squares: 0 };
}

function conceal(figures, { tensor, missing, missingCount }, sent, frame) {
  const copy = { ...tensor, data: tensor.data.slice() };
  if (missingCount > 0) {
    const startMs = performance.now();
    figures.concealer.conceal(copy, missing, figures.last?.tensor && { tensor: figures.last.tensor });
    figures.times.push(performance.now() - startMs);
    figures.squares += squaredError(sent.data, copy.data, missing);
  }
  figures.last?.offer(frame, copy, missingCount);
  return copy;
}

/**
 * Measures one loss process at one rate under one condition, all methods on the same losses.
 * @param codec of the condition; `encoded`: the slices of every image, `intact`: its class where all of them come
 * @returns for each method its `predictions` (a class, or {@link undecodable}) and figures
 */
export async function simulate(workload, { codec, encoded, intact, methods, run }, signal) {
  const { figures: sent, receive } = createReceiver({ codec, encoded, run }, workload.network.spec);
  const { network, images } = workload;
  const all = methods.map((method) => createFigures(method, workload, run.process));
  const sums = { missing: 0, complete: 0, undecodable: 0 };
  await network.inBatches(images, async (batch, first) => {
    signal.throwIfAborted();
    const received = batch.map((_, i) => receive(first + i));
    for (const { missingCount, tensor } of received) {
      sums.missing += missingCount / tensor.data.length;
      if (missingCount === 0) sums.complete++;
      if (missingCount === tensor.data.length) sums.undecodable++;
    }
    for (const figures of all) {
      const filled = received.map((each, i) => {
        return isDecodable(each) ? conceal(figures, each, batch[i].tensor, first + i) : undefined;
      });
      const damaged = filled.filter((_, i) => isDecodable(received[i]) && received[i].missingCount > 0);
      const classes = damaged.length === 0 ? [] : await network.tail(damaged);
      received.forEach((each, i) => {
        const own = each.missingCount === 0 ? intact[first + i] : undecodable;
        figures.predictions.push(isDecodable(each) && each.missingCount > 0 ? classes.shift() : own);
      });
    }
  });
  const elements = images[0].tensor.data.length;
  const { length } = images;
  return all.map(({ method, predictions, times, squares }) => ({
    ...{ method, predictions },
    figures: {
      ...sent,
      missing: sums.missing / length,
      complete: sums.complete / length,
      undecodable: sums.undecodable / length,
      // Of the missing elements of frames that could be decoded.
      meanSquaredError:
        sums.missing > sums.undecodable ? squares / ((sums.missing - sums.undecodable) * elements) : null,
      concealMs: times.length === 0 ? null : median(times),
    },
  }));
}
