// Frames as fast as answers come. What is measured is summed up here: a line for each of 100,000 frames would cost more
// than the frames.
import { quantile } from "../accuracy/quantile.mjs";

/** Latencies that are kept; more frames count and are not timed. */
const MAX_SAMPLES = 500_000;
/** How often frames are looked at that got no answer. */
const LOOK_MS = 50;
/** A system that turns a frame away at once is asked again after so long. */
const PAUSE_MS = 1;

const rounded = (value) => (Number.isFinite(value) ? Number(value.toFixed(4)) : null);

/** Sends one frame and counts what became of it; resolves to whether it was turned away at once. Never rejects. */
async function sendFrame(frame, connection, task, counts, { nowMs }) {
  const startMs = nowMs();
  try {
    const { answer, dropped } = await connection.send(frame, task.bytesOf(frame), counts.settings);
    if (dropped !== undefined) {
      counts.dropped += 1;
      return true;
    }
    const latencyMs = nowMs() - startMs;
    const { ok, share } = task.judge(frame, answer);
    counts.answered += 1;
    if (!ok) counts.wrong += 1;
    if (share < 1) counts.damaged += 1;
    if (counts.latencies.length < MAX_SAMPLES) counts.latencies.push(latencyMs);
  } catch (error) {
    counts.failed += 1;
    counts.reason ??= String(error?.message ?? error);
  }
  return false;
}

const newCounts = (settings) => ({
  ...{ answered: 0, wrong: 0, damaged: 0, dropped: 0, failed: 0, unanswered: 0, latencies: [], settings },
});

/**
 * `inFlight` frames at a time, the next one when one is answered or `deadlineMs` have passed.
 * @returns counts of the frames that were sent after the warm-up, `elapsedMs` of them all, quantiles of the latency:
 *   `damaged` came with a part of their elements, `dropped` were turned away by the system itself
 */
export async function runClosed(connection, task, settings, time) {
  const { inFlight, seconds, warmUpSeconds, deadlineMs } = settings;
  let counts = newCounts({ deadlineMs });
  const lanes = Array.from({ length: inFlight }, () => ({ sentMs: Number.POSITIVE_INFINITY, giveUp() {} }));
  const beginMs = time.nowMs() + warmUpSeconds * 1_000;
  const endMs = beginMs + seconds * 1_000;
  let frame = 0;
  let isOver = false;

  const runLane = async (lane) => {
    while (!isOver && time.nowMs() < endMs) {
      lane.sentMs = time.nowMs();
      // Those sent before the window count where nobody looks.
      const counted = counts;
      const isTurnedAway = await new Promise((resolve) => {
        lane.giveUp = () => {
          counted.unanswered += 1;
          resolve(false);
        };
        sendFrame(frame++, connection, task, counted, time).then(resolve);
      });
      lane.sentMs = Number.POSITIVE_INFINITY;
      if (isTurnedAway) await time.sleepUntil(time.nowMs() + PAUSE_MS);
      if (counted.failed > inFlight) return;
    }
  };
  const watch = async () => {
    while (!isOver) {
      await time.sleepUntil(time.nowMs() + LOOK_MS);
      for (const lane of lanes) if (time.nowMs() - lane.sentMs > deadlineMs) lane.giveUp();
    }
  };
  const startCounting = async () => {
    if (warmUpSeconds > 0) await time.sleepUntil(beginMs);
    counts = newCounts({ deadlineMs });
    return time.nowMs();
  };
  const watching = watch();
  const [startedMs] = await Promise.all([startCounting(), ...lanes.map(runLane)]);
  const elapsedMs = time.nowMs() - startedMs;
  isOver = true;
  await watching;
  const { latencies, settings: _, ...figures } = counts;
  return {
    ...figures,
    elapsedMs: rounded(elapsedMs),
    p50Ms: rounded(quantile(latencies, 0.5)),
    p99Ms: rounded(quantile(latencies, 0.99)),
  };
}
