/** The live choice beside each fixed one, with devices, servers and paths by chance (`strategy-arena/`). */

import { createRandom } from "@sluice/simnet";
import t from "tap";
import { type ComparedPhase, compareLive, runEachFixed } from "./strategy-arena/compare.js";
import { createMachine } from "./strategy-arena/machine.js";
import { type Course, drawScenario } from "./strategy-arena/scenarios.js";
import { createVirtualTime } from "./virtual-time.js";

t.setTimeout(280_000);

/** Nobody has chosen them: the first ones from a hundred on, of either course. */
const seeds = [100, 101, 102, 103];
const courses: readonly Course[] = ["phases", "traces"];
/** Of fewer results a share says nothing. */
const fewest = 10;
/**
 * On other seeds that nothing was tuned on, four in five phases are within 20 % of the best, and nine in ten of the results
 * of the best come. Phases of one seed miss together: of eight seeds the share of phases strays by a tenth, and the floors
 * are two of these below.
 */
const leastReached = 0.6;
const leastOfBest = 0.85;

t.test("in most phases within 20 % of the best fixed choice, and every session stays", async (t) => {
  const phases: ComparedPhase[] = [];
  for (const course of courses)
    for (const seed of seeds) {
      const scenario = drawScenario(seed, course);
      const compared = await compareLive(scenario, await runEachFixed(scenario));
      t.equal(compared.run.sessionEnd, undefined, `${course}, seed ${seed}`);
      for (const { phase, auto, best, by, share } of compared.phases)
        t.comment(
          `${course}, seed ${seed}: ${phase}: ${auto.toFixed(1)}, ${by} ${best.toFixed(1)}: ${share.toFixed(2)}`,
        );
      phases.push(...compared.phases);
    }
  const told = phases.filter(({ best }) => best >= fewest);
  const reached = told.filter(({ share }) => share >= 0.8).length;
  t.ok(reached >= leastReached * told.length, `${reached} of ${told.length} phases`);
  const sum = (figure: "auto" | "best") => told.reduce((total, phase) => total + phase[figure], 0);
  t.ok(
    sum("auto") >= leastOfBest * sum("best"),
    `${sum("auto").toFixed(0)} of ${sum("best").toFixed(0)} results`,
  );
});

t.test("what a slow moment costs a machine is multiplied where a quicker one plays it", async (t) => {
  const time = createVirtualTime();
  const machine = createMachine(time, createRandom(1), {
    ...{ slowdown: 5, slowMoments: { everyMs: 1_000, lastMs: 100, speed: 0.1 } },
  });
  const ends: number[] = [];
  const work = (ms: number) => void machine.work(ms).then(() => ends.push(time.now()));
  work(50); // 10 of them real, done as the moment ends
  await time.advance(600);
  work(50);
  await time.advance(400);
  t.same(ends, [500, 650]);
});

t.test("a machine takes its time, more of it under load and in slow moments", async (t) => {
  const time = createVirtualTime();
  const machine = createMachine(time, createRandom(1), {
    ...{ isSerial: true, slowMoments: { everyMs: 1_000, lastMs: 100, speed: 0.5 } },
  });
  const ends: number[] = [];
  const work = (ms: number) => void machine.work(ms).then(() => ends.push(time.now()));
  work(100); // 50 of it in the slow 100 ms
  work(30);
  await time.advance(500);
  machine.load = 3;
  work(20);
  await time.advance(500);
  t.same(ends, [150, 180, 560]);
});
