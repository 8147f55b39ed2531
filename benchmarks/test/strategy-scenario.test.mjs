import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import t from "tap";
import { slowdownOf } from "../strategy/device.mjs";
import { openScenario, sumPhases } from "../strategy/scenario.mjs";

t.test("the trace of the benchmark: phases of whole seconds that cover the run", async (t) => {
  const { phases, totalSeconds } = await openScenario();
  t.same(
    phases.map(({ seconds }) => seconds),
    [10, 10, 10, 10, 3, 7],
  );
  t.equal(totalSeconds, 50);
  t.match(phases[4].name, /loss 100 %/);
});

t.test("a trace of one's own: what changes too soon belongs to the phase before", async (t) => {
  const folder = mkdtempSync(join(tmpdir(), "sluice-trace-"));
  t.teardown(() => rmSync(folder, { recursive: true }));
  const file = join(folder, "own.trace");
  writeFileSync(file, "0 8\n4 2\n5 1\n12 0\n15 4\n");
  const { phases, totalSeconds, steps } = await openScenario(file);
  t.equal(steps.length, 5);
  t.same(
    phases.map(({ fromSeconds, seconds }) => [fromSeconds, seconds]),
    [
      [0, 4],
      [4, 8],
      [12, 3],
      [15, 7],
    ],
  );
  const timeline = Array.from({ length: totalSeconds }, () => ({ onTime: 20 }));
  t.same(sumPhases(phases, timeline, "onTime"), [80, 160, 60, 140]);
  writeFileSync(file, "0 8\n4 many\n");
  await t.rejects(openScenario(file), /own\.trace:2/);
  await t.rejects(openScenario(join(folder, "none")), /cannot be read/);
});

t.test(
  "a device is so many times slower as what it takes is more than what this machine takes",
  async (t) => {
    t.equal(slowdownOf(85, 9.37), 9.1);
    t.throws(() => slowdownOf(5, 9.37), /--device-ms must be more than .* 9\.4 ms, got 5/);
  },
);
