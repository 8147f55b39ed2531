import { type Clock, createMemoryPair, createSessionDriver, type ProtocolCore } from "@sluice/transport";
import t from "tap";

/** A clock that counts what is asked of it. */
function createCountingClock() {
  const timers = new Map<number, { readonly atMs: number; readonly call: () => void }>();
  let nowMs = 0;
  let nextId = 1;
  const counts = { scheduled: 0, cancelled: 0 };
  let looks = 0;
  const clock: Clock = {
    now: () => nowMs,
    schedule(delayMs, call) {
      counts.scheduled++;
      timers.set(nextId, { atMs: nowMs + delayMs, call });
      return nextId++;
    },
    cancel(timer) {
      counts.cancelled++;
      timers.delete(timer as number);
    },
  };
  return {
    clock,
    counts,
    get looks() {
      return looks;
    },
    get waiting() {
      return [...timers.values()].map(({ atMs }) => atMs);
    },
    runUntil(ms: number) {
      for (;;) {
        const [next] = [...timers].sort(([, a], [, b]) => a.atMs - b.atMs);
        if (!next || next[1].atMs > ms) break;
        timers.delete(next[0]);
        nowMs = next[1].atMs;
        looks++;
        next[1].call();
      }
      nowMs = ms;
    },
  };
}

/** A core that wants to be woken at `wakeMs` and notes when it was. */
async function createWokenCore() {
  const time = createCountingClock();
  const woken: number[] = [];
  const state = { wakeMs: Number.POSITIVE_INFINITY };
  const nothing = () => undefined;
  const core: ProtocolCore = {
    ...{ handleControl: nothing, handleDatagram: nothing, handleClosed: nothing, handleControlEnd: nothing },
    ...{ setMaxDatagramBytes: nothing, pollControl: nothing, pollDatagram: nothing },
    handleTimeout(nowMs) {
      woken.push(nowMs);
      state.wakeMs = Number.POSITIVE_INFINITY;
    },
    nextTimeoutMs: () => state.wakeMs,
  };
  const wakeAt = (ms: number) => {
    state.wakeMs = ms;
  };
  const { client: session } = createMemoryPair();
  const control = await session.openBidirectional();
  const driver = createSessionDriver({ session, core, control, clock: time.clock, onProgress: () => false });
  return { time, woken, driver, wakeAt };
}

t.test("a timer that is early enough stays, and wakes the core no sooner than it asked", async (t) => {
  const { time, woken, driver, wakeAt } = await createWokenCore();
  for (let ms = 10; ms < 110; ms++) {
    wakeAt(ms);
    driver.pump();
  }
  t.same(
    time.counts,
    { scheduled: 2, cancelled: 1 },
    "each frame moves its time on, and one of them the timer",
  );
  t.same(time.waiting, [14]);
  time.runUntil(50);
  t.same(woken, [], "the look at 14 ms finds nothing to do");
  t.same(time.waiting, [109]);
  time.runUntil(200);
  t.same(woken, [109]);
  t.same(time.waiting, []);
});

t.test(
  "a timer that is much too early is put off now and then, so that a quiet core is not woken for nothing",
  async (t) => {
    const { time, woken, driver, wakeAt } = await createWokenCore();
    // Each frame has something due soon, which is settled long before.
    for (let frame = 1; frame <= 10; frame++) {
      time.runUntil(frame * 33);
      wakeAt(frame * 33 + 17);
      driver.pump();
      time.runUntil(frame * 33 + 1);
      wakeAt(1_000);
      driver.pump();
    }
    t.same(time.waiting, [1_000]);
    t.equal(time.looks, 0);
    const busy = await createWokenCore();
    for (let ms = 0; ms < 100; ms++) {
      busy.time.runUntil(ms);
      busy.wakeAt(ms + 50);
      busy.driver.pump();
    }
    t.ok(busy.time.counts.scheduled <= 100 / 8 + 1, `${busy.time.counts.scheduled} timers`);
    wakeAt(Number.POSITIVE_INFINITY);
    time.runUntil(500);
    driver.pump();
    t.same(time.waiting, [], "there is none for a core that waits for nothing");
    t.same(woken, []);
  },
);

t.test("a timer that would be too late is moved", async (t) => {
  const { time, woken, driver, wakeAt } = await createWokenCore();
  wakeAt(100);
  driver.pump();
  wakeAt(20);
  driver.pump();
  t.same(time.waiting, [20]);
  time.runUntil(150);
  t.same(woken, [20]);
});

t.test("a core that has ended is not woken", async (t) => {
  const { time, woken, driver, wakeAt } = await createWokenCore();
  wakeAt(20);
  driver.pump();
  driver.close(0, "");
  time.runUntil(50);
  t.same(woken, []);
});
