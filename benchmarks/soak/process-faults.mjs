// What happens to processes, their threads, their clocks and their disk.
import { setTimeout as sleep } from "node:timers/promises";

/** A step stays below this, and what they add up to as well: a certificate is valid an hour before it was made. */
const maxJumpMinutes = 25;
/** A server lives long enough in between for a leak to show. */
const everyRounds = 6;

const frozen = (name, pick) => ({
  ...{ name, group: "process" },
  draw(draws, scale) {
    const seconds = scale * draws.between(0.5, 8);
    return { text: `stopped for ${seconds.toFixed(1)} s`, seconds };
  },
  async run(world, { seconds }) {
    const { child } = pick(world);
    child.kill("SIGSTOP");
    await sleep(1_000 * seconds);
    child.kill("SIGCONT");
  },
});

export const processFaults = [
  {
    ...{ name: "server kill", group: "process", everyRounds },
    draw(draws, scale) {
      const seconds = scale * draws.between(0, 4);
      return { text: `SIGKILL, back after ${seconds.toFixed(1)} s`, seconds };
    },
    async run(world, { seconds }) {
      await world.endServer("SIGKILL");
      await sleep(1_000 * seconds);
      await world.startServer();
    },
  },
  {
    ...{ name: "server restart", group: "process", everyRounds },
    draw: () => ({ text: "SIGTERM, and a new one", seconds: 0 }),
    async run(world) {
      await world.endServer("SIGTERM");
      await world.startServer();
    },
  },
  frozen("server stop", (world) => world.server),
  frozen("client stop", (world) => world.client),
  {
    ...{ name: "clock jump", group: "process" },
    draw(draws) {
      const minutes = draws.between(-maxJumpMinutes, maxJumpMinutes);
      const side = draws.pick(["server", "client"]);
      return { text: `${side} at ${minutes.toFixed(1)} minutes`, side, minutes, seconds: 0 };
    },
    run: (world, { side, minutes }) => world[side].call("jumpClock", Math.round(60_000 * minutes)),
  },
  {
    ...{ name: "inference crash", group: "process" },
    draw: () => ({ text: "its thread throws", seconds: 0 }),
    run: (world) => world.server.call("crashInference"),
  },
  {
    ...{ name: "transport crash", group: "process" },
    missing: (world) =>
      world.engine === "quiche" ? undefined : `the engine is ${world.engine}, without a thread`,
    draw(draws) {
      const fault = draws.pick(["throw", "reject", "exit", "hang"]);
      return { text: `its thread: ${fault}`, fault, seconds: 0 };
    },
    async run(world, { fault }) {
      const restarts = async () => (await world.readMetrics()).restarts;
      const before = await restarts();
      await world.server.call("failQuic", fault);
      // A hang is found by its watchdog.
      await world.until("the transport is replaced", async () => (await restarts()) > before);
    },
  },
  {
    ...{ name: "full disk", group: "process" },
    draw: () => ({ text: "no space for captures", seconds: 0 }),
    async run(world) {
      const skipped = async () => (await world.readMetrics()).captured.skipped;
      const before = await skipped();
      await world.disk.fill();
      try {
        await world.until("frames that are not captured are counted", async () => (await skipped()) > before);
      } finally {
        await world.disk.free();
      }
    },
  },
];
