// How the change of a quantile is told from the noise.
import t from "tap";
import { createRandom } from "../../packages/simnet/dist/index.js";
import { changeOfQuantile } from "../server/pooled-change.mjs";

const random = createRandom(7);
/** Latencies of one window: the machine slows a whole window down, and some frames more. */
function drawWindow(slowdown) {
  return Array.from({ length: 400 }, () => slowdown * (2 - 4 * Math.log(1 - random.next())));
}
const drawRounds = (count, factor) =>
  Array.from({ length: count }, () => ({
    without: drawWindow(0.8 + 0.4 * random.next()),
    beside: drawWindow(factor * (0.8 + 0.4 * random.next())),
  }));

t.test("rounds of one kind show no change, and slower ones the one that there is", async (t) => {
  const same = changeOfQuantile(drawRounds(12, 1), 0.99);
  t.ok(same.low < 0 && same.high > 0, JSON.stringify(same));
  t.ok(Math.abs(same.change) < 0.15, JSON.stringify(same));
  const slower = changeOfQuantile(drawRounds(12, 1.5), 0.99);
  t.ok(slower.low > 0.2 && slower.high < 0.9, JSON.stringify(slower));
  t.ok(slower.low <= slower.change && slower.change <= slower.high);
});

t.test("one bad window of many does not decide", async (t) => {
  const rounds = drawRounds(12, 1);
  rounds[0].beside = rounds[0].beside.map((ms) => 5 * ms);
  const { low, change } = changeOfQuantile(rounds, 0.99);
  t.ok(change > 0.5, "it is in the pooled figure");
  t.ok(low < 0.2, "and the interval says that it rests on one window");
});
