import type { ReceivedFrame } from "@sluice/protocol";

/** Units of a frame that did not come, and the runs that they form. */
export interface MissingUnits {
  readonly missing: number;
  readonly runs: number;
}

const none: MissingUnits = { missing: 0, runs: 0 };

/** Counts what is missing of a frame. */
export function countMissingUnits({ slices, units, unitsReceived }: ReceivedFrame): MissingUnits {
  if (unitsReceived === units) return none;
  let runs = 0;
  let next = 0;
  for (const { index, count } of [...slices].sort((a, b) => a.index - b.index)) {
    if (index > next) runs++;
    next = Math.max(next, index + count);
  }
  return { missing: units - unitsReceived, runs: next < units ? runs + 1 : runs };
}
