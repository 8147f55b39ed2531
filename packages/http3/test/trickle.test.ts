import t from "tap";
import { type RoundFacts, Trickle } from "#src/quiche/trickle.js";

const NEVER = Number.POSITIVE_INFINITY;

/** Rounds each `gapMs` with a packet each, and what was slept after the last. */
function napAfter(rounds: number, gapMs: number, last: Partial<RoundFacts> = {}, dueMs = NEVER): number {
  const trickle = new Trickle();
  let napMs = 0;
  for (let i = 0; i < rounds; i++) {
    const facts = { nowMs: 1_000 + i * gapMs, packets: 1, isPaced: false, hasLocal: false };
    napMs = trickle.napMs(i === rounds - 1 ? { ...facts, ...last } : facts, dueMs);
  }
  return napMs;
}

t.test("a thread sleeps once packets have come one by one for some rounds", async (t) => {
  t.strictSame(
    [1, 5, 8, 9, 40].map((rounds) => napAfter(rounds, 0.5)),
    [0, 0, 0, 2, 2],
  );
  t.equal(napAfter(40, 3), 2, "the sleeping itself is part of the gaps");
});

t.test("a packet now and then is read at once", async (t) => {
  t.equal(napAfter(40, 5), 0);
});

t.test("rounds that are large, or brought nothing, are followed by no sleep", async (t) => {
  t.equal(napAfter(10, 0.5, { packets: 16 }), 0);
  t.equal(napAfter(10, 0.5, { packets: 15 }), 2);
  t.equal(napAfter(10, 0.5, { packets: 0 }), 0);
  t.equal(napAfter(10, 0.5, { packets: 0, isPaced: true }), 2, "the pacer has the next word");
});

t.test("a sleep ends when a timer is due, and does not begin for next to nothing", async (t) => {
  t.equal(napAfter(11, 1, {}, 1_011.5), 1.5);
  t.equal(napAfter(11, 1, {}, 1_010.1), 0);
  t.equal(napAfter(11, 1, {}, 1_009), 0);
});

t.test("peers on this machine keep the thread awake", async (t) => {
  const trickle = new Trickle();
  const round = (nowMs: number, hasLocal: boolean) =>
    trickle.napMs({ nowMs, packets: 1, isPaced: false, hasLocal }, NEVER);
  let slept = 0;
  for (let ms = 0; ms < 50; ms++) slept += round(1_000 + ms, ms % 10 === 0);
  t.equal(slept, 0);
  for (let ms = 50; ms < 140; ms++) slept += round(1_000 + ms, false);
  t.equal(slept, 0, "for a while after their last packet");
  t.equal(round(1_140, false), 2);
});
