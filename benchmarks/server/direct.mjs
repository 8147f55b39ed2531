// The engine alone, called in a loop. Started by fork; each message is a window, answered with its figures.
import { performance } from "node:perf_hooks";
import process from "node:process";
import { openWorkload } from "./workloads.mjs";

/** As many batches as the server has under way: one at work, one that is got ready. */
const underWay = 2;

process.once("message", async ({ workload }) => {
  const { network, inputs } = await openWorkload(workload);
  const engine = await network.load();
  process.on("message", async ({ seconds, warmUpSeconds, frames }) => {
    const countFromMs = performance.now() + warmUpSeconds * 1_000;
    const endMs = countFromMs + seconds * 1_000;
    const samples = Array.from({ length: frames }, (_, i) => inputs[i % inputs.length]);
    let done = 0;
    let doneWithWarmUp = 0;
    const timesMs = [];
    const loop = async () => {
      while (performance.now() < endMs) {
        const startMs = performance.now();
        await engine.runBatch(samples);
        const nowMs = performance.now();
        doneWithWarmUp += frames;
        if (nowMs < countFromMs || nowMs >= endMs) continue;
        done += frames;
        timesMs.push(nowMs - startMs);
      }
    };
    // One at a time tells how long a run takes, two how many there can be.
    await Promise.all(Array.from({ length: frames === 1 ? 1 : underWay }, loop));
    process.send({ result: { framesPerSecond: done / seconds, doneWithWarmUp, timesMs } });
  });
  process.send({ ready: true });
});
process.once("disconnect", () => process.exit(0));
