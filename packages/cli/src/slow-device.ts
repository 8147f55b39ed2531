/** Runs of a network as on a slower device, for trying what such a device would do. */
import type { Engine } from "@sluice/inference";
import type { Tensor } from "@sluice/tensor";

/** So many runs, so far apart, tell how long one usually takes: a machine that stands nearly still for 0.1 s spoils few of them. */
const trialRuns = 15;
const trialPauseMs = 20;

export type Run = (inputs: readonly Tensor[]) => Promise<Tensor[]>;

/** Time, as it is for the device. */
export interface DeviceTime {
  now(): number;
  pause(ms: number): Promise<void>;
}

const hostTime: DeviceTime = {
  now: () => performance.now(),
  pause: (ms) => new Promise((resolve) => setTimeout(resolve, ms)),
};

async function usualRunMs(run: Run, sample: readonly Tensor[], time: DeviceTime): Promise<number> {
  const times: number[] = [];
  for (let i = 0; i < trialRuns; i++) {
    await time.pause(trialPauseMs);
    const startMs = time.now();
    await run(sample);
    times.push(time.now() - startMs);
  }
  return times.sort((a, b) => a - b)[trialRuns >> 1]!;
}

/**
 * Works one after the other, each as long as a device that is so many times slower usually takes for it. What else this
 * machine does meanwhile is not multiplied: that device would have moments of its own, and others.
 * @param slowdown times as slow as this machine, 1 or more; at 1 runs are left as they are
 * @param sample inputs of the network, to find out how long it usually takes
 */
export async function createSlowDevice(
  engine: Pick<Engine, "run">,
  slowdown: number,
  sample: readonly Tensor[],
  time: DeviceTime = hostTime,
): Promise<Run> {
  const run: Run = (inputs) => engine.run(inputs);
  if (slowdown === 1) return run;
  const deviceMs = slowdown * (await usualRunMs(run, sample, time));
  let before: Promise<unknown> = Promise.resolve();
  return (inputs) => {
    const next = before.then(async () => {
      const startMs = time.now();
      const outputs = await run(inputs);
      const leftMs = deviceMs - (time.now() - startMs);
      if (leftMs > 0) await time.pause(leftMs);
      return outputs;
    });
    before = next.catch(() => {});
    return next;
  };
}
