// A device that is slower than this machine, by what the network takes here.
import { performance } from "node:perf_hooks";
import { setTimeout as pause } from "node:timers/promises";
import { loadModel, specOf } from "../../packages/inference/dist/index.js";
import { createTensor } from "../../packages/tensor/dist/index.js";
import { median } from "../accuracy/quantile.mjs";

const warmUpRuns = 5;
const runs = 30;

/**
 * How many times slower than this machine a device is that takes `deviceMs` for the whole network with one thread.
 * @param framesPerSecond runs follow one another at this rate: after a pause each takes longer
 * @throws Error where this machine is no quicker than that
 */
export async function findSlowdown(reference, deviceMs, framesPerSecond) {
  const { network } = await loadModel(reference);
  const engine = await network.load({ threads: 1 });
  try {
    const inputs = engine.inputs.map((input) => {
      const { dtype, shape, layout } = specOf(input);
      return createTensor(dtype, shape, undefined, layout);
    });
    const times = [];
    for (let run = 0; run < warmUpRuns + runs; run++) {
      await pause(1_000 / framesPerSecond);
      const startMs = performance.now();
      await engine.run(inputs);
      if (run >= warmUpRuns) times.push(performance.now() - startMs);
    }
    return slowdownOf(deviceMs, median(times));
  } finally {
    await engine.close();
  }
}

/** In tenths. */
export function slowdownOf(deviceMs, hereMs) {
  const slowdown = Math.round((10 * deviceMs) / hereMs) / 10;
  if (slowdown >= 1) return slowdown;
  throw new Error(
    `--device-ms must be more than what the network takes here, ${hereMs.toFixed(1)} ms, got ${deviceMs}`,
  );
}
