import t from "tap";
import { Watchdog } from "#src/quiche/watchdog.js";

const limits = { intervalMs: 1000, looks: 5, startMs: 60_000 };

/** Looks at the given moments; returns when it first says that the thread hangs. */
function firstAlarm(beats: (nowMs: number) => number, moments: Iterable<number>): number | undefined {
  const watchdog = new Watchdog(limits, 0);
  for (const nowMs of moments) if (watchdog.look(beats(nowMs), nowMs)) return nowMs;
  return undefined;
}

function* every(stepMs: number, untilMs: number): Generator<number> {
  for (let nowMs = stepMs; nowMs <= untilMs; nowMs += stepMs) yield nowMs;
}

/** The worker's beat, which stops at `stopMs`. */
const beatUntil = (stopMs: number) => (nowMs: number) => 1 + Math.floor(Math.min(nowMs, stopMs) / 50);

t.test("a thread that lives is left alone", async (t) => {
  t.equal(firstAlarm(beatUntil(1e9), every(1000, 1e6)), undefined);
  // Once in four looks a sign of life: a thread that hardly gets to run.
  t.equal(
    firstAlarm((nowMs) => 1 + Math.floor(nowMs / 4000), every(1000, 1e6)),
    undefined,
  );
});

t.test("a hang is found after five looks", async (t) => {
  t.equal(firstAlarm(beatUntil(10_000), every(1000, 1e6)), 15_000);
});

t.test("a machine that was asleep or overloaded gives no alarm", async (t) => {
  // Asleep for an hour; the look comes before the worker's first beat.
  const asleep = (nowMs: number) => beatUntil(5000)(nowMs) + (nowMs > 3_601_500 ? Math.floor(nowMs / 50) : 0);
  const moments = [...every(1000, 5000), 3_600_500, 3_601_500, 3_602_500, 3_603_500, 3_604_500, 3_605_500];
  t.equal(firstAlarm(asleep, moments), undefined);
  // Neither thread runs but now and then: looks and beats come late.
  t.equal(
    firstAlarm((nowMs) => 1 + Math.floor(nowMs / 40_000), every(3000, 1e6)),
    undefined,
  );
});

t.test("a hang is found even where every look is late", async (t) => {
  t.equal(firstAlarm(beatUntil(3000), every(3000, 1e6)), 3000 + 30 * 3000);
});

t.test("a thread may take its time to start, but not for ever", async (t) => {
  t.equal(
    firstAlarm((nowMs) => (nowMs < 50_000 ? 0 : Math.floor(nowMs / 50)), every(1000, 1e6)),
    undefined,
  );
  t.equal(
    firstAlarm(() => 0, every(1000, 1e6)),
    61_000,
  );
});
