import { createRandom } from "@sluice/simnet";
import t from "tap";
import { measureBatchCosts } from "#src/measure-batch-costs.js";
import { type BatchCost, createCostCurve } from "#src/scheduling/cost-curve.js";
import { simulateQueue } from "./simulate-queue.js";

/** A network with a set-up of 1 ms and 0.2 ms for each frame: 16 are best. */
const setUp = (frames: number) => 1 + 0.2 * frames;
/** One whose frames are the dearer, the more of them run together. */
const dear = (frames: number) => frames * (2 + 0.2 * Math.log2(frames));
/** The machine gives a sixth of its time for 130 ms of each 1,600. */
const slowMs = 130;
const periodMs = 1_600;
const slowness = 6;

/** How long work takes that begins in such a period. */
function stretch(workMs: number, startMs: number): number {
  const at = startMs % periodMs;
  const slowLeftMs = Math.max(0, slowMs - at);
  const doneMs = Math.min(workMs, slowLeftMs / slowness);
  return workMs - doneMs + doneMs * slowness;
}

/** Keeps 64 frames waiting for so long; the sizes of the batches that ran. */
function saturate(
  cost: (frames: number, nowMs: number) => number,
  measured: readonly BatchCost[],
  ms: number,
) {
  const sim = simulateQueue();
  const lane = sim.createLane((frames) => cost(frames, sim.clock.now()), 16, measured);
  const share = sim.queue.createShare();
  for (let atMs = 0; atMs < ms; atMs += 1) {
    sim.run(atMs);
    while (sim.queue.waiting < 64) sim.push({ name: "x", share, lane, expiresAtMs: atMs + 10_000 });
  }
  return { lane, sizes: sim.log.map((entry) => entry.split("+").length) };
}

/** Measures as a server does when it starts so long after the machine has become slow. */
async function measureAt(cost: (frames: number) => number, startMs: number): Promise<readonly BatchCost[]> {
  let nowMs = startMs;
  const run = async (frames: number) => {
    nowMs += stretch(cost(frames), nowMs);
  };
  return measureBatchCosts(run, { maxFrames: 16, now: () => nowMs });
}

t.test("whenever the machine is slow during the start, the right size is found", async (t) => {
  for (let startMs = periodMs - 80; startMs < periodMs + slowMs; startMs += 2) {
    const { usefulFrames } = createCostCurve(await measureAt(setUp, startMs), 16);
    t.equal(usefulFrames, 16, `started at ${startMs}`);
  }
});

t.test("what was measured far too small or too large is put right under load", async (t) => {
  for (const [cost, wrong, right] of [
    [setUp, [{ frames: 1, ms: 1 }], 16],
    [setUp, [1, 2, 4, 8, 16].map((frames) => ({ frames, ms: frames === 1 ? 1 : 1.5 * frames })), 16],
    [dear, [1, 2, 4, 8, 16].map((frames) => ({ frames, ms: 5 + frames })), 1],
  ] as const) {
    const { lane, sizes } = saturate((frames, nowMs) => stretch(cost(frames), nowMs), wrong, 40_000);
    t.not(sizes[5], right);
    t.equal(lane.curve.usefulFrames, right);
    // The machine's slow moments are in what is observed as well.
    t.ok(Math.abs(lane.curve.msOf(1) / lane.curve.msOf(16) / (cost(1) / cost(16)) - 1) < 0.25);
  }
});

t.test("trials cost a batch in a hundred at first where the size is right, and ever fewer", async (t) => {
  for (const cost of [setUp, dear]) {
    const sizes = [1, 2, 4, 8, 16].map((frames) => ({ frames, ms: cost(frames) }));
    const run = saturate(cost, sizes, 30_000);
    const right = run.lane.curve.usefulFrames;
    const others = run.sizes.slice(1).filter((size) => size !== right);
    t.ok(
      others.length > 0 && others.length < 0.015 * run.sizes.length,
      `${others.length} of ${run.sizes.length}`,
    );
  }
});

t.test("on a machine that others keep busy all the time, chance moves nothing for long", async (t) => {
  for (let seed = 1; seed <= 6; seed++) {
    const random = createRandom(seed);
    // Four batches in ten are held up, some of them for many times as long as they take.
    const busy = (frames: number) => setUp(frames) * (random.next() < 0.6 ? 1 : 1 / (0.05 + random.next()));
    const { sizes } = saturate(busy, [{ frames: 1, ms: 1.2 }], 30_000);
    const late = sizes.slice(sizes.length >> 1);
    const share = late.filter((size) => size === 16).length / late.length;
    t.ok(share > 0.9, `seed ${seed}: ${(100 * share).toFixed(0)} % of the batches have 16 frames`);
  }
});

t.test("nothing is tried while there is little to do, nor past a deadline", async (t) => {
  const sim = simulateQueue();
  const lane = sim.createLane(setUp, 16, [{ frames: 1, ms: 1.2 }]);
  const share = sim.queue.createShare();
  for (let i = 0; i < 200; i++) {
    sim.run(2 * i);
    sim.push({ name: "x", share, lane, expiresAtMs: 2 * i + 100 });
  }
  t.same([...new Set(sim.log)], ["x"]);
  const tight = simulateQueue();
  const full = tight.createLane((frames) => 10 * frames, 16, [{ frames: 1, ms: 10 }]);
  const other = tight.queue.createShare();
  for (let i = 0; i < 100; i++) {
    tight.run(10 * i);
    for (let n = 0; n < 3; n++)
      tight.push({ name: `${i}.${n}`, share: other, lane: full, expiresAtMs: 10 * i + 25 });
  }
  tight.run(2_000);
  const late = [...tight.ends].filter(([name, endMs]) => endMs > 10 * Number(name.split(".")[0]) + 25);
  t.same(late, []);
});
