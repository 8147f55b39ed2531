// Well-behaved clients, several sessions in one process. Started by fork; each message is a window to run, answered
// with what became of its frames. Says `{ ready }` once all sessions are open.
import { performance } from "node:perf_hooks";
import process from "node:process";
import { createClient } from "../../packages/client/dist/index.js";
import { connect } from "../../packages/http3/dist/index.js";
import { openWorkload } from "./workloads.mjs";

const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

async function openSessions({ url, certificateHash, count, workload, deadlineMs }) {
  const { stream, tensors } = await openWorkload(workload);
  const sessions = [];
  for (let i = 0; i < count; i++) {
    const client = await createClient(await connect(url, { certificateHash }));
    sessions.push({ client, stream: await client.openStream({ ...stream, deadlineMs }) });
  }
  return { sessions, tensors };
}

/** Each session offers a frame at every tick of its own, whatever became of the earlier ones, as a camera does. */
async function offerSteadily({ sessions, tensors }, { seconds, framesPerSecond }) {
  const pending = [];
  const startMs = performance.now();
  await Promise.all(
    sessions.map(async ({ stream }, session) => {
      for (let i = 0; i < seconds * framesPerSecond; i++) {
        // The sessions' ticks lie between each other's.
        const dueMs = startMs + ((i + session / sessions.length) * 1_000) / framesPerSecond;
        await pause(Math.max(0, dueMs - performance.now()));
        pending.push(stream.send(tensors[(i + session) % tensors.length]));
      }
    }),
  );
  return summarize(await Promise.all(pending));
}

function summarize(outcomes) {
  const delivered = outcomes.filter(({ status }) => status === "delivered");
  return {
    offered: outcomes.length,
    delivered: delivered.length,
    onTime: delivered.filter(({ onTime }) => onTime).length,
    latenciesMs: delivered.map(({ latencyMs }) => latencyMs),
    inferenceMs: delivered.map(({ timings }) => timings.inference),
  };
}

/** Each session keeps so many frames under way, as fast as results come. */
async function saturate({ sessions, tensors }, { seconds, warmUpSeconds, underWay }) {
  const countFromMs = performance.now() + warmUpSeconds * 1_000;
  const endMs = countFromMs + seconds * 1_000;
  let delivered = 0;
  let offered = 0;
  async function keepOneUnderWay(stream, first) {
    for (let i = first; performance.now() < endMs; i++) {
      const outcome = await stream.send(tensors[i % tensors.length]);
      const nowMs = performance.now();
      if (nowMs >= countFromMs && nowMs < endMs) {
        offered++;
        if (outcome.status === "delivered") delivered++;
      }
      // The gate knows better when there is room again than a loop that asks at once.
      if (outcome.status === "dropped") await pause(1);
    }
  }
  await Promise.all(
    sessions.flatMap(({ stream }) => Array.from({ length: underWay }, (_, i) => keepOneUnderWay(stream, i))),
  );
  return { framesPerSecond: delivered / seconds, delivered, offered };
}

const windows = { steady: offerSteadily, saturate };

process.once("message", async (options) => {
  const opened = await openSessions(options);
  process.on("message", async ({ kind, ...window }) => {
    process.send({ result: await windows[kind](opened, window) });
  });
  process.send({ ready: true });
});
process.once("disconnect", () => process.exit(0));
