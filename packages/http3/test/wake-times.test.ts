import t from "tap";
import { type WakeClock, WakeTimes } from "#src/quiche/wake-times.js";

/** A clock that stands still until it is told; counts the timers that were set. */
function createClock() {
  let nowMs = 0;
  let timer: { atMs: number; call: () => void } | undefined;
  let set = 0;
  const clock: WakeClock = {
    nowMs: () => nowMs,
    set(delayMs, call) {
      t.ok(Number.isInteger(delayMs) && delayMs >= 1, "Node cuts off what is less than a millisecond");
      set += 1;
      timer = { atMs: nowMs + delayMs, call };
      return timer;
    },
    cancel(canceled) {
      if (timer === canceled) timer = undefined;
    },
  };
  return {
    clock,
    get set() {
      return set;
    },
    get timerAtMs() {
      return timer?.atMs;
    },
    /** Goes to `atMs` without what is due in between. */
    jump(atMs: number) {
      nowMs = atMs;
    },
    /** Goes on until `atMs`, with all timers that fire; returns how many did. */
    run(atMs: number): number {
      let fired = 0;
      while (timer !== undefined && timer.atMs <= atMs) {
        nowMs = Math.max(nowMs, timer.atMs);
        const { call } = timer;
        timer = undefined;
        fired += 1;
        call();
      }
      nowMs = atMs;
      return fired;
    },
  };
}

function create() {
  const time = createClock();
  const woken: string[] = [];
  const times = new WakeTimes<string>((who) => woken.push(`${who} ${time.clock.nowMs()}`), time.clock);
  return { time, times, woken };
}

t.test("each is woken at its own time, by one timer", async (t) => {
  const { time, times, woken } = create();
  times.set("a", 10, 0);
  times.set("b", 4.3, 0);
  times.set("c", Number.POSITIVE_INFINITY, 0);
  t.equal(times.size, 3);
  t.equal(time.timerAtMs, 5, "not before it is due");
  time.run(20);
  t.strictSame(woken, ["b 5", "a 10"]);
  t.equal(time.timerAtMs, undefined);
});

t.test("who was put off is not woken at the time before", async (t) => {
  const { time, times, woken } = create();
  times.set("a", 2, 0);
  times.set("a", 30, 0);
  t.equal(time.set, 1, "the timer stays: moving it for each packet would cost more");
  time.run(29);
  t.strictSame(woken, []);
  time.run(31);
  t.strictSame(woken, ["a 30"]);
});

t.test(
  "a timer that would wake nobody is moved at the end of a round, at most once a millisecond",
  async (t) => {
    const { time, times, woken } = create();
    times.set("a", 2, 0);
    times.set("a", 30, 0);
    times.settle(0);
    t.equal(time.timerAtMs, 30);
    times.set("a", 2, 0.5);
    times.set("a", 31, 0.5);
    times.settle(0.5);
    t.equal(time.timerAtMs, 2);
    time.jump(1.5);
    times.settle(1.5);
    t.equal(time.run(40), 1);
    t.strictSame(woken, ["a 31.5"]);
    times.set("b", 42, 40);
    times.set("b", Number.POSITIVE_INFINITY, 40);
    times.settle(40);
    t.equal(time.timerAtMs, undefined);
  },
);

t.test("a timer that comes a little early wakes all the same", async (t) => {
  const { time, times, woken } = create();
  times.set("a", 3.4, 0);
  times.set("b", 3, 0);
  time.run(3);
  t.strictSame(woken, ["a 3", "b 3"]);
});

t.test("whoever sets a new time while woken is woken again", async (t) => {
  const { clock, run } = createClock();
  const woken: number[] = [];
  const times: WakeTimes<string> = new WakeTimes((who) => {
    woken.push(clock.nowMs());
    if (woken.length < 3) times.set(who, clock.nowMs() + 5, clock.nowMs());
  }, clock);
  times.set("a", 5, 0);
  run(100);
  t.strictSame(woken, [5, 10, 15]);
});

t.test("who is forgotten leaves no timer", async (t) => {
  const { time, times, woken } = create();
  times.set("a", 10, 0);
  times.delete("a");
  t.equal(times.size, 0);
  t.equal(time.timerAtMs, undefined);
  time.run(20);
  t.strictSame(woken, []);
});
