// What a network does. Each fault draws its numbers, and is then a change of both or one of the relay's directions for a
// while.
import { setTimeout as sleep } from "node:timers/promises";
import { percent } from "../tables.mjs";

const whole = (share) => percent(share, 0);

/** @param draw gives `{ text, change }`, and `direction` where it is only one */
function changing(name, draw) {
  return {
    ...{ name, group: "network" },
    draw(draws, scale) {
      const seconds = scale * draws.between(2, 6);
      return { seconds, ...draw(draws, scale) };
    },
    async run(world, { change, direction = "both", seconds }) {
      const undo = world.network.change(change, direction);
      await sleep(1_000 * seconds);
      undo();
    },
  };
}

export const networkFaults = [
  changing("loss", (draws) => {
    const loss = draws.between(0.05, 0.4);
    return { text: `${whole(loss)} lost`, change: { loss } };
  }),
  changing("bursts", (draws) => {
    const [loss, burst] = [draws.between(0.05, 0.3), draws.whole(3, 12)];
    return { text: `${whole(loss)} lost in runs of ${burst}`, change: { loss, burst } };
  }),
  changing("reordering", (draws) => {
    const [reorder, reorderMs] = [draws.between(0.1, 0.6), draws.whole(5, 60)];
    return { text: `${whole(reorder)} held back by up to ${reorderMs} ms`, change: { reorder, reorderMs } };
  }),
  changing("duplication", (draws) => {
    const duplicate = draws.between(0.1, 1);
    return { text: `${whole(duplicate)} come twice`, change: { duplicate } };
  }),
  changing("corruption", (draws) => {
    const corrupt = draws.between(0.02, 0.3);
    return { text: `${whole(corrupt)} with changed bits`, change: { corrupt } };
  }),
  changing("jitter", (draws) => {
    const [delayMs, jitterMs] = [draws.whole(20, 120), draws.whole(10, 80)];
    return { text: `${delayMs} ms and up to ${jitterMs} ms more`, change: { delayMs, jitterMs } };
  }),
  changing("narrow", (draws) => {
    const kilobits = draws.whole(60, 600);
    return {
      text: `${kilobits} kbit/s`,
      change: { rateBitsPerSecond: 1_000 * kilobits, queueMs: draws.whole(50, 1_000) },
    };
  }),
  changing("mtu", (draws) => {
    const mtuBytes = draws.whole(1_280, 1_400);
    return { text: `nothing over ${mtuBytes} B`, change: { mtuBytes } };
  }),
  changing("blackout", (draws, scale) => {
    // Some outlast the silence after which another session is tried, a few that after which a session is given up.
    const isLong = scale === 1 && draws.chance(0.3);
    const seconds = isLong ? draws.between(6, 32) : scale * draws.between(0.5, 6);
    return { text: `nothing for ${seconds.toFixed(1)} s`, change: { loss: 1 }, seconds };
  }),
  changing("one-way blackout", (draws) => {
    const direction = draws.pick(["up", "down"]);
    return { text: `nothing ${direction}`, change: { loss: 1 }, direction };
  }),
  {
    ...{ name: "rebinding", group: "network" },
    draw: (draws, scale) => {
      const [times, everyMs] = [draws.whole(1, 4), Math.round(scale * draws.between(100, 1_500))];
      return { text: `${times} new ports`, times, everyMs, seconds: (times * everyMs) / 1_000 };
    },
    async run(world, { times, everyMs }) {
      for (let i = 0; i < times; i++) {
        await world.network.rebind();
        await sleep(everyMs);
      }
    },
  },
];
