/** Runs of a network as on a slower device, for trying what such a device would do. */
import { createLatestMedian } from "@sluice/protocol";
import type { Tensor } from "@sluice/tensor";

/** The last runs tell how long one takes here: a machine has paces that last for seconds, and moments that spoil few of them. */
const usualRuns = 15;

export type Run<Outputs> = (inputs: readonly Tensor[]) => Promise<Outputs>;

/** Time, as it is for the device. */
export interface DeviceTime {
  now(): number;
  pause(ms: number): Promise<void>;
}

const hostTime: DeviceTime = {
  now: () => performance.now(),
  pause: (ms) => new Promise((resolve) => setTimeout(resolve, ms)),
};

/**
 * Works one after the other, each so many times as long as the median of the last 15 took here. A moment in which this
 * machine stands still is not multiplied: that device would have moments of its own, and others.
 * @param slowdown times as slow as this machine, 1 or more; at 1 runs are left as they are
 * @param sample inputs of the network, to find out how long it takes
 */
export async function createSlowDevice<Outputs>(
  engine: { readonly run: Run<Outputs> },
  slowdown: number,
  sample: readonly Tensor[],
  time: DeviceTime = hostTime,
): Promise<Run<Outputs>> {
  const run: Run<Outputs> = (inputs) => engine.run(inputs);
  if (slowdown === 1) return run;
  const usual = createLatestMedian(usualRuns);
  const timed: Run<Outputs> = async (inputs) => {
    const startMs = time.now();
    const outputs = await run(inputs);
    usual.add(time.now() - startMs);
    return outputs;
  };
  for (let i = 0; i < usualRuns; i++) await timed(sample);
  let before: Promise<unknown> = Promise.resolve();
  return (inputs) => {
    const next = before.then(async () => {
      const startMs = time.now();
      const outputs = await timed(inputs);
      const leftMs = slowdown * usual.value! - (time.now() - startMs);
      if (leftMs > 0) await time.pause(leftMs);
      return outputs;
    });
    before = next.catch(() => {});
    return next;
  };
}
