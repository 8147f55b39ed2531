// Which fault comes when: rounds in which each kind comes once, or each so many rounds, in an order of its own; in the later
// ones two at a time at times.
import { createDraws } from "./draws.mjs";
import { hostileFaults } from "./hostile-faults.mjs";
import { networkFaults } from "./network-faults.mjs";
import { processFaults } from "./process-faults.mjs";

/** Every kind of fault, by name. */
export const faults = [...networkFaults, ...processFaults, ...hostileFaults];

/** Below this many minutes faults are short, for each kind to come once. */
export const shortMinutes = 5;
const shortScale = 0.25;
/** In later rounds, so many of what happens to processes come while the network has a fault too. */
const pairedShare = 0.4;

/**
 * The steps of a campaign without end, each of one or two faults at the same time with what they drew.
 * @param {{ random: { fork(name: string): { next(): number } }, minutes: number, kinds: readonly object[] }} options
 */
export function* planSteps({ random, minutes, kinds }) {
  const scale = minutes < shortMinutes ? shortScale : 1;
  for (let round = 0; ; round++) {
    const draws = createDraws(random.fork(`round ${round}`));
    const take = (fault) => ({ fault, drawn: fault.draw(draws, scale) });
    const network = kinds.filter(({ group }) => group === "network");
    const present = kinds.filter(({ everyRounds = 1 }) => round % everyRounds === 0);
    for (const fault of draws.shuffle(present.length > 0 ? present : kinds)) {
      const step = [take(fault)];
      const isPaired =
        round > 0 && fault.group !== "network" && network.length > 0 && draws.chance(pairedShare);
      if (isPaired) step.push(take(draws.pick(network)));
      yield { round, faults: step, calmSeconds: scale * draws.between(1, 4) };
    }
  }
}
