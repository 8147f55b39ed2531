import t from "tap";
import { createLoadLimit, fairLevel } from "#src/scheduling/load-limit.js";

t.test("those who want less have it, the others share the rest alike", async (t) => {
  t.equal(fairLevel([10, 100, 100], 110), 50);
  t.equal(fairLevel([30, 30, 30], 60), 20);
  t.equal(fairLevel([30, 30], 100), Number.POSITIVE_INFINITY, "there is enough");
});

/** Clients that offer what the limit allows, to a server that can do `capacity` frames a second. */
function simulate(demands: readonly number[], capacity: number, samples: number, start = createLoadLimit()) {
  let limit = start.update({ seconds: 0, offered: [], done: 0, shed: 0, busy: 0 });
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
    after.push(start.update({ seconds: 0.5, offered: [9], done: 9, shed: 0, busy: 0.6 }));
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

t.test("what a moment without the processor took away is back within two seconds", async (t) => {
  const start = createLoadLimit();
  t.equal(start.update({ seconds: 0.5, offered: [30, 30], done: 0, shed: 60, busy: 1 }), 1);
  const { limits } = simulate([30, 30], 200, 10, start);
  const reached = limits.findIndex((limit) => limit === 0 || limit > 30);
  t.ok(reached >= 0 && reached < 6, `limits: ${limits.join(", ")}`);
});

t.test("where there is little time to spare it grows slowly, and at the most twofold", async (t) => {
  const after = (busy: number) => {
    const start = createLoadLimit();
    start.update({ seconds: 0.5, offered: [50], done: 10, shed: 40, busy: 1 });
    return start.update({ seconds: 0.5, offered: [9], done: 9, shed: 0, busy });
  };
  t.equal(after(0.84).toFixed(3), "19.800");
  t.equal(after(0.6).toFixed(3), "25.500");
  t.equal(after(0), 0.9 * 20 * 2);
});
