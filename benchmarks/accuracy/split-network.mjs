import { describeValue, loadOnnxruntime, specOf, splitModel } from "@sluice/inference";
import { argmax } from "./compare-predictions.mjs";

/** Samples that the network runs at once. */
const batchSize = 25;

/** Calls `each(batch, firstIndex)` for parts of a list. */
async function inBatches(list, each) {
  for (let first = 0; first < list.length; first += batchSize) {
    await each(list.slice(first, first + batchSize), first);
  }
}

/**
 * A model cut in two, and the whole. One thread each: what is timed beside them has the other core, and sums are the
 * same in every run.
 */
export async function openSplitNetwork(model, cut) {
  const split = await splitModel(model.bytes, cut);
  const engines = { head: split.head, tail: split.tail, whole: model.bytes };
  for (const name of Object.keys(engines)) {
    engines[name] = await loadOnnxruntime(engines[name], { threads: 1 });
  }
  const firstOutputs = async (engine, inputs) => (await engine.runBatch(inputs)).map(([output]) => output);
  const classesOf = async (engine, inputs) =>
    (await firstOutputs(engine, inputs)).map((output) => argmax(output.data));
  return {
    cut,
    spec: specOf(describeValue(split.cut)),
    batchSize,
    inBatches,
    /** The tensors at the cut. */
    head: (inputs) => firstOutputs(engines.head, inputs),
    /** The classes that the second half finds in tensors. */
    tail: (tensors) => classesOf(engines.tail, tensors),
    /** The classes that the whole network finds in inputs. */
    whole: (inputs) => classesOf(engines.whole, inputs),
    close: () => Promise.all(Object.values(engines).map((engine) => engine.close())),
  };
}
