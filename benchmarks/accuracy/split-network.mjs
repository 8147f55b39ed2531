import { specOf } from "@sluice/inference";
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
  const split = await model.network.split(cut);
  const models = { head: split.head, tail: split.tail, whole: model.network };
  const loading = new Map();
  /** Loaded when it is first needed: most runs do without the whole. */
  const engineOf = (name) => {
    if (!loading.has(name)) loading.set(name, models[name].load({ threads: 1 }));
    return loading.get(name);
  };
  const firstOutputs = async (name, inputs) => {
    const engine = await engineOf(name);
    return (await engine.runBatch(inputs)).map(([output]) => output);
  };
  const classesOf = async (name, inputs) =>
    (await firstOutputs(name, inputs)).map((output) => argmax(output.data));
  return {
    cut,
    spec: specOf(split.cut),
    batchSize,
    inBatches,
    /** The tensors at the cut. */
    head: (inputs) => firstOutputs("head", inputs),
    /** What the second half makes of tensors. */
    outputs: (tensors) => firstOutputs("tail", tensors),
    /** The classes that the second half finds in tensors. */
    tail: (tensors) => classesOf("tail", tensors),
    /** The classes that the whole network finds in inputs. */
    whole: (inputs) => classesOf("whole", inputs),
    close: async () => {
      for (const engine of loading.values()) await (await engine).close();
    },
  };
}
