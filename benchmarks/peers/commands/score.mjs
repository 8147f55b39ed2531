// What the second half makes of what has arrived, after the measurement.
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { loadModel, preprocessPresets } from "@sluice/inference";
import { presets } from "../../accuracy/presets.mjs";
import { openSplitNetwork } from "../../accuracy/split-network.mjs";
import { readPrepared } from "../tasks/prepared.mjs";

/**
 * Correct answers in time for each second, and bytes that the client sent for each.
 * @param classOf the class that came of a frame
 * @param images of which each has its `label`
 */
export function scoreOf(frames, { classOf, images, bytesUp, seconds, deadlineMs }) {
  const isInTime = ({ status, ok, latencyMs }) => status === "answered" && ok && latencyMs <= deadlineMs;
  const correct = frames.filter(
    (frame) => isInTime(frame) && classOf(frame) === images[frame.image].label,
  ).length;
  return {
    correctPerSecond: Number((correct / seconds).toFixed(3)),
    bytesPerCorrect: correct === 0 ? null : Math.round(bytesUp / correct),
  };
}

/** @param folder from `prepareClassify` */
export function createScorer(folder) {
  const { images, model: path, preset, split, spec } = readPrepared(folder);
  const stores = mkdtempSync(join(tmpdir(), "sluice-peers-delivered-"));
  const remove = () => rmSync(stores, { recursive: true, force: true });
  process.once("exit", remove);
  let opened;
  async function open() {
    const model = await loadModel(path, { preprocess: preprocessPresets[presets[preset].preprocess] });
    return openSplitNetwork(model, split);
  }

  /** Classes of the tensors in a file, in order. */
  async function classesIn(store) {
    opened ??= open();
    const network = await opened;
    const file = readFileSync(store);
    const all = new Float32Array(file.buffer.slice(file.byteOffset, file.byteOffset + file.length));
    const length = spec.shape.reduce((product, size) => product * size, 1);
    const tensors = Array.from({ length: all.length / length }, (_, i) => ({
      ...spec,
      data: all.subarray(i * length, (i + 1) * length),
    }));
    const classes = [];
    await network.inBatches(tensors, async (batch) => classes.push(...(await network.tail(batch))));
    rmSync(store);
    return classes;
  }

  return {
    folder,
    storeFor: (key) => join(stores, `${key.replaceAll(/\W+/g, "-")}.bin`),
    async score(frames, { payload, store, ...rest }) {
      // What arrived exactly has the class that was found when the tensors were made.
      const exact = payload === "deflated" ? "uint8" : payload;
      const classes = payload === "sluice" ? await classesIn(store) : images.map((image) => image[exact]);
      return scoreOf(frames, { classOf: ({ content }) => classes[content], images, ...rest });
    },
    async close() {
      await (await opened)?.close();
      remove();
      process.removeListener("exit", remove);
    },
  };
}
