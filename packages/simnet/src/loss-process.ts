import type { Random } from "./random.js";

/** Decides packet by packet what the wire loses. */
export interface LossProcess {
  /** Whether the next packet is lost, at an average share `loss` and a mean run of `burst` packets. */
  isLost(loss: number, burst: number): boolean;
}

/**
 * The simple Gilbert model (Gilbert 1960; loss 1 in the bad state and 0 in the good one): a bad state is left with
 * probability 1 / burst, and entered with loss / (burst (1 - loss)), which makes `loss` the stationary share.
 * `burst` 1 means independent losses, whose runs have a mean of 1 / (1 - loss).
 */
export function createLossProcess(random: Random): LossProcess {
  let bad: boolean | undefined;
  return {
    isLost(loss, burst) {
      // One draw for each packet, whatever the parameters: what a seed does later does not depend on them.
      const draw = random.next();
      if (burst <= 1 || loss === 0 || loss === 1) {
        bad = undefined;
        return draw < loss;
      }
      // The first packet comes from the stationary distribution, so the average holds from the start.
      if (bad === undefined) bad = draw < loss;
      else bad = bad ? draw >= 1 / burst : draw < loss / (burst * (1 - loss));
      return bad;
    },
  };
}
