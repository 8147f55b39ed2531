/** Figures by chance. */
import type { Random } from "@sluice/simnet";

export interface Draws {
  /** Evenly between two figures. */
  even(low: number, high: number): number;
  /** The same in their logarithms. */
  log(low: number, high: number): number;
  chance(share: number): boolean;
}

export function drawsOf(random: Random): Draws {
  const even = (low: number, high: number) => low + (high - low) * random.next();
  return {
    even,
    log: (low, high) => Math.exp(even(Math.log(low), Math.log(high))),
    chance: (share) => random.next() < share,
  };
}
