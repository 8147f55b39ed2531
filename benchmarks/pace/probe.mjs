// How fast the machine is from moment to moment: a host may slow its guests' processors down without their kernel
// noticing (no gap, no steal). Started by fork; each message is a window, answered with the slow moments in it. It runs
// before everything else on its core (SCHED_FIFO), for a probe that has to wait for a core would take that for slowness.
import { performance } from "node:perf_hooks";
import process from "node:process";
import { setTimeout as sleep } from "node:timers/promises";
import { findSlowMoments } from "./slow-moments.mjs";

const periodMs = 8;
/** About a tenth of a millisecond of a processor at its full speed. */
const steps = 100_000;

const now = () => performance.timeOrigin + performance.now();

/** The same work each time; the result keeps the compiler from leaving it out. */
function work(seed) {
  let x = seed;
  for (let i = 0; i < steps; i++) x = (Math.imul(x, 1_664_525) + 1_013_904_223) | 0;
  return x;
}

async function watch(seconds) {
  const samples = [];
  const endMs = now() + seconds * 1_000;
  let sink = 1;
  while (now() < endMs) {
    const atMs = now();
    sink = work(sink);
    samples.push({ atMs, tookMs: now() - atMs });
    await sleep(periodMs);
  }
  return { moments: findSlowMoments(samples), sink };
}

process.once("message", async () => {
  await watch(1);
  process.on("message", async ({ seconds }) => process.send(await watch(seconds)));
  process.send({ ready: true });
});
process.once("disconnect", () => process.exit(0));
