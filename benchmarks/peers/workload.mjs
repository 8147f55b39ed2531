// Frames through a connection, at times of their own (`paced`) or as fast as answers come (`closed`). The clock and the
// waiting are passed in.
import { runClosed } from "./closed-workload.mjs";

const realTime = {
  nowMs: () => performance.now(),
  sleepUntil: (timeMs) =>
    new Promise((resolve) => setTimeout(resolve, Math.max(0, timeMs - performance.now()))),
};

/** For frames under way when the last one has been offered; later they count as never answered. */
const DRAIN_MS = 5_000;

/**
 * @typedef {object} FrameResult
 * @property {number} frame
 * @property {number} offeredMs since the start of the workload
 * @property {"answered" | "capped" | "dropped" | "failed" | "unanswered"} status `capped`: not sent, for as many as are
 *   allowed were under way; `dropped`: the system itself did not send it or gave it up
 * @property {number} [latencyMs] from the time at which the frame was due to the answer
 * @property {number} [share] of its elements that came, 0 to 1
 * @property {boolean} [ok] whether what came is what was sent
 */

/** Sends one frame and fills in what became of it. Never rejects. */
async function follow(result, connection, task, { dueMs, deadlineMs, time }) {
  try {
    const reply = await connection.send(result.frame, task.bytesOf(result.frame), { deadlineMs });
    if (reply.dropped !== undefined) {
      result.status = "dropped";
      result.reason = reply.dropped;
      return;
    }
    result.latencyMs = time.nowMs() - dueMs;
    Object.assign(result, task.judge(result.frame, reply.answer));
    result.status = "answered";
  } catch (error) {
    result.status = "failed";
    result.reason = String(error?.message ?? error);
  }
}

/**
 * Offers frames at `framesPerSecond`, however long each takes; at most `cap` are under way. Those offered within the
 * warm-up are left out of the result.
 * @returns {Promise<{ frames: FrameResult[] }>}
 */
async function runPaced(connection, task, settings, time) {
  const { framesPerSecond, seconds, warmUpSeconds, cap, deadlineMs } = settings;
  const skipped = Math.round(warmUpSeconds * framesPerSecond);
  const count = skipped + Math.round(seconds * framesPerSecond);
  const frames = [];
  const underWay = new Set();
  const startMs = time.nowMs();
  for (let frame = 0; frame < count; frame++) {
    const offeredMs = (frame * 1_000) / framesPerSecond;
    await time.sleepUntil(startMs + offeredMs);
    const result = { frame, offeredMs, status: "capped" };
    frames.push(result);
    if (underWay.size >= cap) continue;
    result.status = "unanswered";
    // A timer may fire a little early: then the frame counts from when it was sent.
    const dueMs = Math.min(startMs + offeredMs, time.nowMs());
    const done = follow(result, connection, task, { dueMs, deadlineMs, time });
    underWay.add(done);
    done.then(() => underWay.delete(done));
  }
  await settleWithin(underWay, time);
  // Results that come after this belong to nobody: they are copied as they are now.
  return { frames: frames.slice(skipped).map((result) => ({ ...result })) };
}

async function settleWithin(promises, time) {
  const limit = time.sleepUntil(time.nowMs() + DRAIN_MS);
  await Promise.race([Promise.all(promises), limit]);
}

/** @param time the clock; default: the host's */
export function runWorkload(connection, task, workload, time = realTime) {
  if (workload.kind === "paced") return runPaced(connection, task, workload, time);
  if (workload.kind === "closed") return runClosed(connection, task, workload, time);
  throw new RangeError(`workload.kind must be paced or closed, got ${JSON.stringify(workload.kind)}`);
}
