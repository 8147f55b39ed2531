/**
 * What somebody tries who has never seen the choice: real networks and cuts, a device of any speed, and a path that steps from one
 * round rate to the next, at times with a longer way, with losses, or gone for a while.
 */
import type { Random } from "@sluice/simnet";
import type { Phase, Way, WorldOptions } from "../adaptive-world.js";
import { type Draws, drawsOf } from "./draws.js";

const megabits = [0.1, 0.2, 0.3, 0.5, 1, 2, 3, 5, 10, 20, 50, 100] as const;
const framesPerSecond = [10, 15, 20, 30] as const;
const deadlinesMs = [100, 150, 200, 300, 500] as const;

/** A network and where it may be cut, as `benchmarks/strategy.mjs` finds them: for a device eight times slower than its server. */
interface Network {
  readonly serverMs: number;
  /** Bytes of the input by a fine codec and a coarse one. */
  readonly input: readonly Coded[];
  readonly cuts: readonly {
    readonly name: string;
    readonly share: number;
    readonly coded: readonly Coded[];
  }[];
}

interface Coded {
  readonly bytes: number;
  readonly worth: number;
}

const cutOfMobileNet = [
  { bytes: 8_544, worth: 1 },
  { bytes: 3_273, worth: 0.99 },
];
const networks: readonly Network[] = [
  {
    ...{ serverMs: 1.2, input: [{ bytes: 784, worth: 1 }] },
    cuts: [
      {
        ...{ name: "add_3", share: 0.67 },
        coded: [
          { bytes: 7_904, worth: 1 },
          { bytes: 2_974, worth: 0.99 },
          { bytes: 253, worth: 0.98 },
        ],
      },
    ],
  },
  {
    ...{ serverMs: 6 },
    input: [
      { bytes: 162_672, worth: 1 },
      { bytes: 58_985, worth: 0.99 },
    ],
    cuts: [
      { name: "add_4", share: 0.44, coded: cutOfMobileNet },
      { name: "add_5", share: 0.83, coded: cutOfMobileNet },
    ],
  },
];

export function drawJudged(seed: number, random: Random): WorldOptions {
  const draw = drawsOf(random.fork("judge"));
  const { serverMs, input, cuts } = oneOf(draw, networks);
  const deadlineMs = oneOf(draw, deadlinesMs);
  // Who wants to see a choice takes a device that has hardly the time for all of it, or none.
  const perSecond = oneOf(draw, framesPerSecond);
  const wholeAtClient = Math.min(1.5 * deadlineMs, (1_000 / perSecond) * draw.log(0.7, 4));
  const cut = oneOf(draw, cuts);
  const common = { name: "server", strategy: "server", clientMs: 0, serverMs } as const;
  const clientMs = cut.share * wholeAtClient;
  const rest = {
    name: cut.name,
    strategy: "shared",
    clientMs,
    serverMs: (1 - cut.share) * serverMs,
  } as const;
  const ways: Way[] = [
    { name: "client", strategy: "client", clientMs: wholeAtClient, serverMs: 0, bytes: 0 },
    ...input.map((coded, i) => ({ ...common, ...coded, name: `${common.name} ${i}` })),
    ...cut.coded.map((coded, i) => ({ ...rest, ...coded, name: `${rest.name} ${i}` })),
  ];
  // A profile is of another moment, and the server's of another load.
  const [clientError, serverError] = [draw.log(0.8, 1.25), draw.log(0.7, 1.4)];
  return {
    ...{ seed, deadlineMs, framesPerSecond: perSecond },
    phases: drawPhases(draw),
    ways: ways.map((way) => ({
      ...way,
      told: { bytes: way.bytes, clientMs: way.clientMs * clientError, serverMs: way.serverMs * serverError },
    })),
    spread: draw.even(0.05, 0.25),
    slowMoments: draw.chance(0.5) ? { everyMs: 1_600, lastMs: 120, speed: 0.2 } : undefined,
  };
}

function drawPhases(draw: Draws): Phase[] {
  const rttChanges = draw.chance(0.3);
  const isLossy = draw.chance(0.4);
  const queueMs = draw.chance(0.6) ? 100 : draw.even(50, 400);
  const rtt = () => draw.log(10, 200);
  const usualMs = draw.chance(0.5) ? 40 : rtt();
  const darkAfter = draw.chance(0.6) ? 1 + Math.floor(draw.even(0, 3)) : undefined;
  const phases: Phase[] = [];
  let last: number | undefined;
  for (let i = 0; i < 5; i++) {
    const others = megabits.filter((rate) => rate !== last);
    last = oneOf(draw, others);
    const rttMs = rttChanges ? rtt() : usualMs;
    const loss = isLossy && draw.chance(0.6) ? oneOf(draw, [0.005, 0.01, 0.02, 0.05]) : 0;
    const path = { rateBitsPerSecond: last * 1e6, delayMs: rttMs / 2, queueMs, loss, burst: 1 };
    const name = `${last} Mbit/s, ${rttMs.toFixed(0)} ms${loss > 0 ? `, loss ${100 * loss} %` : ""}`;
    phases.push({ name, seconds: Math.round(draw.log(5, 12)), path });
    if (i + 1 === darkAfter)
      phases.push({ name: "dark", seconds: Math.round(draw.even(1, 4)), path: { ...path, loss: 1 } });
  }
  return phases;
}

function oneOf<T>(draw: Draws, all: readonly T[]): T {
  return all[Math.floor(draw.even(0, all.length))]!;
}
