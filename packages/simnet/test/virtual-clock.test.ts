import { createVirtualClock } from "@sluice/simnet";
import t from "tap";

t.test("runs calls by time, then by the order in which they were scheduled", async (t) => {
  const clock = createVirtualClock();
  const log: string[] = [];
  const note = (name: string) => () => log.push(`${name}@${clock.now()}`);
  clock.at(20, note("c"));
  clock.at(10, note("a"));
  clock.after(10, note("b"));
  clock.at(20, note("d"));
  t.equal(clock.pending, 4);
  t.equal(clock.nextTimeMs(), 10);
  t.equal(clock.runUntil(15), 2);
  t.equal(clock.now(), 15, "the present moves to where it was told to");
  t.ok(clock.step());
  t.ok(clock.step());
  t.notOk(clock.step());
  t.same(log, ["a@10", "b@10", "c@20", "d@20"]);
  t.equal(clock.now(), 20);
  t.equal(clock.nextTimeMs(), undefined);
});

t.test("what is scheduled meanwhile runs when it is due in time", async (t) => {
  const clock = createVirtualClock({ startMs: 100 });
  const times: number[] = [];
  const tick = () => {
    times.push(clock.now());
    clock.after(10, tick);
  };
  clock.at(50, tick);
  t.equal(clock.runUntil(125), 3);
  t.same(times, [100, 110, 120], "a past time means now");
  t.equal(clock.pending, 1);
});

t.test("a call can be taken back once, also from within another", async (t) => {
  const clock = createVirtualClock();
  const ran: string[] = [];
  const second = clock.at(2, () => ran.push("second"));
  const first = clock.at(1, () => ran.push(String(clock.cancel(second))));
  clock.at(3, () => ran.push("third"));
  clock.runUntil(10);
  t.same(ran, ["true", "third"]);
  t.equal(clock.cancel(second), false);
  t.equal(clock.cancel(first), false, "it has run");
  t.equal(clock.pending, 0);
});

t.test("many cancelled calls are cleared and the rest still runs in order", async (t) => {
  const clock = createVirtualClock();
  const ran: number[] = [];
  for (let i = 0; i < 1000; i++) {
    const timer = clock.at(1000 - i, () => ran.push(clock.now()));
    if (i % 10 !== 0) clock.cancel(timer);
  }
  t.equal(clock.pending, 100);
  clock.runUntil(2000);
  t.same(
    ran,
    [...ran].sort((a, b) => a - b),
  );
  t.equal(ran.length, 100);
});

t.test("calls that never let time pass end in an error", async (t) => {
  const clock = createVirtualClock({ maxCallsAtOneTime: 50 });
  const again = () => {
    clock.after(0, again);
  };
  clock.at(5, again);
  t.throws(() => clock.runUntil(10), { message: /more than 50 calls ran at 5 ms/ });
});

t.test("times must be finite", async (t) => {
  const clock = createVirtualClock();
  t.throws(() => clock.at(Number.NaN, () => {}), { name: "RangeError", message: /timeMs/ });
  t.throws(() => clock.runUntil(Number.POSITIVE_INFINITY), { name: "RangeError", message: /timeMs/ });
  t.throws(() => createVirtualClock({ startMs: Number.NaN }), { name: "RangeError", message: /startMs/ });
});
