import t from "tap";
import { type BadKind, latenciesBeside } from "./simulate-neighbours.js";

const seed = 11;

/** p99 of the good clients beside each bad one, in milliseconds. */
function p99Beside(kind: BadKind, cost: (frames: number) => number, maxFrames: number): number {
  const latencies = latenciesBeside(kind, { cost, maxFrames, seed });
  return latencies[Math.ceil(0.99 * latencies.length) - 1]!;
}

// By deadline alone and always in the largest useful batches, p99 is 8.0 ms beside a stalling one and 20.7 ms beside a flood one by one,
// 15.0 and 19.0 ms in batches.
for (const [what, cost, maxFrames, bounds] of [
  ["one by one", () => 1.5, 1, { none: 4, stall: 6, flood: 15, die: 6 }],
  ["in batches", (frames: number) => 0.5 + 1.2 * frames, 16, { none: 5, stall: 11, flood: 15, die: 7 }],
] as const) {
  t.test(`a bad client with near deadlines keeps good ones waiting for little longer: ${what}`, async (t) => {
    for (const kind of ["none", "stall", "flood", "die"] as const) {
      const p99Ms = p99Beside(kind, cost, maxFrames);
      t.ok(p99Ms <= bounds[kind], `seed ${seed}, ${kind}: p99 ${p99Ms.toFixed(1)} ms`);
    }
  });
}
