// Clients that offer frames at a steady rate, whatever they send them through, and what became of the frames.
import { performance } from "node:perf_hooks";

const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

/**
 * Each client offers a frame at every tick of its own, whatever became of the earlier ones, as a camera does.
 * @param send `(client, item)` to what becomes of the frame, as the client library tells it
 */
export async function offerSteadily({ clients, items, deadlineMs, send }, { seconds, framesPerSecond }) {
  const pending = [];
  const sentMs = [];
  const startMs = performance.now();
  await Promise.all(
    clients.map(async (client, index) => {
      for (let i = 0; i < seconds * framesPerSecond; i++) {
        // The clients' ticks lie between each other's.
        const dueMs = startMs + ((i + index / clients.length) * 1_000) / framesPerSecond;
        await pause(Math.max(0, dueMs - performance.now()));
        sentMs.push(performance.timeOrigin + performance.now());
        pending.push(send(client, items[(i + index) % items.length]));
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
