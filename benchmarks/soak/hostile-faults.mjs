// Clients that do what they should not, past the relay at the server itself, each in a process of its own.
import { setTimeout as sleep } from "node:timers/promises";

/** @param run what the misbehaving process, once it is ready, is put through */
function badClient(name, text, run) {
  return {
    ...{ name, group: "hostile" },
    draw(draws, scale) {
      const seconds = scale * draws.between(1, 4);
      return { text: `${text} for ${seconds.toFixed(1)} s`, seconds, seed: String(draws.whole(0, 1e9)) };
    },
    run,
  };
}

/** One of the kinds of bad-client.mjs. */
async function misbehave(world, kind, seconds) {
  const bad = await world.startBadClient(kind);
  const { stopAfterMs } = bad.ready;
  if (stopAfterMs !== undefined) {
    await sleep(stopAfterMs);
    bad.child.kill("SIGSTOP");
  }
  await sleep(1_000 * seconds);
  await bad.kill();
}

async function storm(world, command, { seconds, seed }) {
  const hostile = world.startHostile();
  try {
    return await hostile.call(command, { seconds, seed, ...world.target() });
  } finally {
    await hostile.kill();
  }
}

export const hostileFaults = [
  badClient("stalling client", "reads and acknowledges nothing", (world, { seconds }) =>
    misbehave(world, "stall", seconds),
  ),
  badClient("flooding client", "sends all that it can", (world, { seconds }) =>
    misbehave(world, "flood", seconds),
  ),
  badClient("dying clients", "one after another dies in its frames", (world, { seconds }) =>
    misbehave(world, "die", seconds),
  ),
  badClient("hostile packets", "real packets, changed, from strangers and the client", (world, given) =>
    storm(world, "packets", given),
  ),
  badClient("hostile streams", "HTTP/3 that breaks the rules", (world, given) =>
    storm(world, "streams", given),
  ),
];
