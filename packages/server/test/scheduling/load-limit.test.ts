import t from "tap";
import { createLoadLimit, fairLevel } from "#src/scheduling/load-limit.js";

t.test("those who want less have it, the others share the rest alike", async (t) => {
  t.equal(fairLevel([10, 100, 100], 110), 50);
  t.equal(fairLevel([30, 30, 30], 60), 20);
  t.equal(fairLevel([30, 30], 100), Number.POSITIVE_INFINITY, "there is enough");
});

/** Clients that offer what the limit allows, to a server that can do `capacity` frames a second. */
function simulate(demands: readonly number[], capacity: number, samples: number, start = createLoadLimit()) {
  let limit = 0;
  const limits: number[] = [];
  for (let i = 0; i < samples; i++) {
    const offered = demands.map((demand) => (limit > 0 ? Math.min(demand, limit) : demand) / 2);
    const sum = offered.reduce((a, b) => a + b, 0);
    const done = Math.min(sum, capacity / 2);
    limit = start.update({ seconds: 0.5, offered, done, shed: sum - done, busy: (2 * done) / capacity });
    limits.push(limit);
  }
  return { limits, start };
}

t.test("no limit is announced while it keeps up, however short deadlines are", async (t) => {
  t.same(new Set(simulate([30, 30], 100, 20).limits), new Set([0]));
  const limit = createLoadLimit();
  t.equal(limit.update({ seconds: 0.5, offered: [15], done: 5, shed: 10, busy: 0.2 }), 0);
});

t.test("overload: the greedy are limited at once, to nearly what there is", async (t) => {
  const { limits } = simulate([20, 300], 100, 40);
  t.equal(limits[0], 70, "90 of 100, less the 20 of the other");
  const late = limits.slice(10);
  t.ok(Math.min(...late) >= 60 && Math.max(...late) <= 90, `${Math.min(...late)} to ${Math.max(...late)}`);
});

t.test("what is shared alike stays so, and the limit goes when the load does", async (t) => {
  const { limits, start } = simulate([100, 100, 100, 100], 100, 40);
  const late = limits.slice(10);
  t.ok(Math.min(...late) >= 18 && Math.max(...late) <= 28, `${Math.min(...late)} to ${Math.max(...late)}`);
  const after: number[] = [];
  for (let i = 0; i < 20; i++)
    after.push(start.update({ seconds: 0.5, offered: [9], done: 9, shed: 0, busy: 0.1 }));
  t.equal(after.at(-1), 0);
  t.ok(after.indexOf(0) > 0, "step by step");
});

t.test("nobody is shut out altogether", async (t) => {
  const limit = createLoadLimit();
  t.equal(limit.update({ seconds: 0.5, offered: [50, 50], done: 0, shed: 100, busy: 1 }), 1);
});

t.test("frames of before that were shed late limit nobody who keeps within what there is", async (t) => {
  const limit = createLoadLimit();
  t.equal(limit.update({ seconds: 0.5, offered: [10], done: 20, shed: 2, busy: 0.9 }), 0);
});
