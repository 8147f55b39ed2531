/** A slower device: how long its works take, and that they come one after the other. */
import { createTensor } from "@sluice/tensor";
import t from "tap";
import { createSlowDevice } from "#cli/slow-device.js";

const tensor = createTensor("float32", [1], undefined, "any");

/** A machine whose runs take `takesMs`, on a clock that only they and pauses move. */
function createMachine(takesMs: number) {
  let nowMs = 0;
  const machine = {
    takesMs,
    isBroken: false,
    runs: 0,
    time: {
      now: () => nowMs,
      pause: async (ms: number) => {
        nowMs += ms;
      },
    },
    async run() {
      machine.runs++;
      if (machine.isBroken) throw new Error("broken");
      nowMs += machine.takesMs;
      return [tensor];
    },
  };
  return machine;
}

t.test("a device that is as fast as this machine runs as it is", async (t) => {
  const machine = createMachine(5);
  const run = await createSlowDevice(machine, 1, [tensor], machine.time);
  t.equal(machine.runs, 0, "nothing has to be found out");
  await run([tensor]);
  t.equal(machine.time.now(), 5);
});

t.test("works follow one another, each as long as the device takes", async (t) => {
  const machine = createMachine(5);
  const run = await createSlowDevice(machine, 4, [tensor], machine.time);
  const startMs = machine.time.now();
  const ends = await Promise.all([1, 2, 3].map(() => run([tensor]).then(() => machine.time.now() - startMs)));
  t.same(ends, [20, 40, 60]);
});

t.test("a moment in which this machine stands still is not multiplied", async (t) => {
  const machine = createMachine(5);
  const run = await createSlowDevice(machine, 20, [tensor], machine.time);
  for (const [takesMs, wholeMs] of [
    [60, 100],
    [140, 140],
    [5, 100],
  ] as const) {
    machine.takesMs = takesMs;
    const startMs = machine.time.now();
    await run([tensor]);
    t.equal(machine.time.now() - startMs, wholeMs, `${takesMs} ms here`);
  }
});

t.test("a machine of another pace makes a device of another pace", async (t) => {
  const machine = createMachine(5);
  const run = await createSlowDevice(machine, 4, [tensor], machine.time);
  machine.takesMs = 10;
  for (let i = 0; i < 8; i++) await run([tensor]);
  const startMs = machine.time.now();
  await run([tensor]);
  t.equal(machine.time.now() - startMs, 40);
});

t.test("a run that fails is told, and the next one goes", async (t) => {
  const machine = createMachine(5);
  const run = await createSlowDevice(machine, 2, [tensor], machine.time);
  machine.isBroken = true;
  await t.rejects(run([tensor]), /broken/);
  machine.isBroken = false;
  t.same(await run([tensor]), [tensor]);
});
