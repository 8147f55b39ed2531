/** Frames that take longer on a path than the window in which a standing queue shows (spec 5.6). */
import t from "tap";
import { createQueueDelay } from "#src/queue-delay.js";
import {
  createVirtualNetwork,
  createVirtualSession,
  streamFrames,
  streamOptions,
} from "./virtual-session.js";

/** What headers add to payloads, with room to spare. */
const overhead = 1.1;

function openStream(session: ReturnType<typeof createVirtualSession>, bytes: number, deadlineMs: number) {
  const spec = { ...streamOptions.spec, shape: [bytes] };
  return session.client.openStream({ ...streamOptions, spec, deadlineMs });
}

const onTimeOf = ({ clientEvents }: ReturnType<typeof createVirtualSession>) =>
  clientEvents.filter((event) => event.type === "delivered" && event.onTime).length;

t.test("the first of a frame that met no queue counts when the last of it comes", async (t) => {
  const queue = createQueueDelay();
  queue.setFrameMs(100);
  t.equal(queue.standingWindowMs, 300);
  // A frame of 600 ms, sent faster than the path takes it; then nothing for 200 ms; and again.
  const standing = (nowMs: number) => {
    const phase = nowMs % 800;
    if (phase < 600) queue.add(nowMs - phase / 5, nowMs, nowMs);
    return queue.standingMs(nowMs);
  };
  let most = 0;
  for (let nowMs = 0; nowMs < 4_000; nowMs += 5) most = Math.max(most, standing(nowMs));
  t.ok(most > 50, `in 300 ms it looks like a queue of ${most} ms`);
  queue.setFrameMs(600);
  for (let nowMs = 4_000; nowMs < 5_600; nowMs += 5) standing(nowMs);
  most = 0;
  for (let nowMs = 5_600; nowMs < 9_600; nowMs += 5) most = Math.max(most, standing(nowMs));
  t.ok(most < 10, `it is ${most} ms`);
  queue.setFrameMs(60_000);
  t.equal(queue.standingWindowMs, 4_000, "what lasts longer is a queue");
});

t.test("alone on a path, long frames one after another are all in time", async (t) => {
  for (const [megabits, bytes] of [
    [0.5, 25_000],
    [1, 56_104],
    [2, 162_672],
    [5, 162_672],
  ] as const) {
    for (const share of [0.9, 0.65]) {
      const path = { rateBitsPerSecond: 1e6 * megabits, delayMs: 10, queueMs: 2_000 };
      const session = createVirtualSession({ seed: 1, up: path, down: path });
      const frameMs = (overhead * 8 * bytes) / (1_000 * megabits);
      const stream = openStream(session, bytes, 2 * frameMs + 100);
      session.runUntil(300);
      const frames = 40;
      const intervalMs = frameMs / share;
      streamFrames(session, stream, { frames, intervalMs, bytes: new Uint8Array(bytes) });
      session.runUntil(300 + (frames + 5) * intervalMs);
      const rate = (session.client.figures.rateBitsPerSecond ?? 0) / 1e6;
      const what = `${bytes} B over ${megabits} Mbit/s, ${100 * share} % of it`;
      t.ok(onTimeOf(session) >= frames - 3, `${what}: ${onTimeOf(session)} of ${frames} in time`);
      t.ok(rate > 0.9 * megabits, `${what}: a rate of ${rate.toFixed(2)} Mbit/s`);
    }
  }
});

t.test("a frame that is longer than the queue of a slow path does not overflow it", async (t) => {
  const path = { rateBitsPerSecond: 1e6, delayMs: 10, queueMs: 200 };
  const session = createVirtualSession({ seed: 1, up: path, down: path });
  const bytes = 56_104;
  const stream = openStream(session, bytes, 1_500);
  session.runUntil(300);
  const intervalMs = 700;
  streamFrames(session, stream, { frames: 20, intervalMs, bytes: new Uint8Array(bytes) });
  // Nobody knows the path before the first of them.
  session.runUntil(300 + 3 * intervalMs);
  const early = session.upLink.counters().droppedQueue;
  session.runUntil(300 + 23 * intervalMs);
  t.equal(session.upLink.counters().droppedQueue, early);
  t.ok(onTimeOf(session) >= 18, `${onTimeOf(session)} of 20 in time`);
});

t.test("two sessions with long frames still see each other's queue, and share the path", async (t) => {
  for (const seed of [1, 2, 3]) {
    const path = { rateBitsPerSecond: 2e6, delayMs: 10, queueMs: 2_000 };
    const network = createVirtualNetwork(seed, path, path);
    const bytes = 56_104;
    const sessions = [1, 2].map((offset) => createVirtualSession({ seed: 10 * seed + offset, network }));
    const streams = sessions.map((session) => openStream(session, bytes, 1_000));
    network.runUntil(300);
    // Each wants two thirds of the path.
    const frames = 120;
    const intervalMs = (overhead * 8 * bytes) / 2_000 / 0.67;
    for (const [i, session] of sessions.entries())
      streamFrames(session, streams[i]!, { frames, intervalMs, bytes: new Uint8Array(bytes) });
    network.runUntil(300 + (frames + 5) * intervalMs);
    const counts = sessions.map(onTimeOf);
    const sum = counts[0]! + counts[1]!;
    t.ok(sum > 0.55 * frames, `seed ${seed}: ${counts.join(" and ")} of ${frames} each in time`);
    t.ok(Math.min(...counts) > 0.3 * sum, `seed ${seed}: neither is pushed aside: ${counts.join(" and ")}`);
    t.equal(network.up.counters().droppedQueue, 0, `seed ${seed}: nothing overflowed`);
  }
});
