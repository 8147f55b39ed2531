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
  return { sessions, tensors, deadlineMs };
}

/** Each session offers a frame at every tick of its own, whatever became of the earlier ones, as a camera does. */
async function offerSteadily({ sessions, tensors, deadlineMs }, { seconds, framesPerSecond }) {
  const pending = [];
  const sentMs = [];
  const startMs = performance.now();
  await Promise.all(
    sessions.map(async ({ stream }, session) => {
      for (let i = 0; i < seconds * framesPerSecond; i++) {
        // The sessions' ticks lie between each other's.
        const dueMs = startMs + ((i + session / sessions.length) * 1_000) / framesPerSecond;
        await pause(Math.max(0, dueMs - performance.now()));
        sentMs.push(performance.timeOrigin + performance.now());
        pending.push(stream.send(tensors[(i + session) % tensors.length]));
      }
    }),
  );
  return summarize(await Promise.all(pending), { sentMs, deadlineMs });
}

/** `sentMs`, by the clock of all processes, and `latenciesMs` are of all frames; one without a result took its deadline. */
function summarize(outcomes, { sentMs, deadlineMs }) {
  const delivered = outcomes.filter(({ status }) => status === "delivered");
  return {
    offered: outcomes.length,
    delivered: delivered.length,
    onTime: delivered.filter(({ onTime }) => onTime).length,
    sentMs,
    latenciesMs: outcomes.map((outcome) => (outcome.status === "delivered" ? outcome.latencyMs : deadlineMs)),
    inferenceMs: delivered.map(({ timings }) => timings.inference),
  };
}

process.once("message", async (options) => {
  const opened = await openSessions(options);
  process.on("message", async (window) => process.send({ result: await offerSteadily(opened, window) }));
  process.send({ ready: true });
});
process.once("disconnect", () => process.exit(0));
