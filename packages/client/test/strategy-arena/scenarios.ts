/** Devices, networks, servers and paths by chance: the same seed, the same scenario. */
import { createRandom } from "@sluice/simnet";
import type { Phase, Way, WorldOptions } from "../adaptive-world.js";
import { type Draws, drawsOf } from "./draws.js";
import { drawJudged } from "./judge.js";
import { drawTrace } from "./traces.js";

/** What the whole network takes on the device, in deadlines; how many times quicker the server is. */
const wholeDeadlines = [0.15, 1.5] as const;
const speedup = [1, 20] as const;
const inputBytes = [2_000, 60_000] as const;
/** Where a choice is hard, a tensor takes about so many deadlines on the path. */
const criticalDeadlines = [0.1, 2] as const;
const bitsPerSecond = [0.2e6, 100e6] as const;
const rttMs = [5, 200] as const;
const deadlineMs = [100, 500] as const;
/** Of the scenarios: their path changes every few seconds. */
const restlessShare = 1 / 4;

/** Phases of one path after another, paths that change in other ways (`traces.ts`), or what a judge would try (`judge.ts`). */
export type Course = "phases" | "traces" | "judge";

export function drawScenario(seed: number, course: Course = "phases"): WorldOptions {
  const random = createRandom(`arena ${seed}`);
  if (course === "judge") return drawJudged(seed, random);
  const draw = drawsOf(random.fork("draws"));
  const deadline = Math.round(draw.log(...deadlineMs));
  const wholeAtClient = deadline * draw.log(...wholeDeadlines);
  const wholeAtServer = wholeAtClient / draw.log(...speedup);
  const input = draw.log(...inputBytes);
  const cuts = draw.chance(0.5) ? 2 : 1;
  const ways: Way[] = [
    { name: "client", strategy: "client", clientMs: wholeAtClient, serverMs: 0, bytes: 0 },
    ...coded(draw, "server", "server", { clientMs: 0, serverMs: wholeAtServer, bytes: input }),
  ];
  for (let i = 0; i < cuts; i++) {
    const share = draw.even(0.05, 0.7);
    const terms = {
      clientMs: share * wholeAtClient,
      serverMs: (1 - share) * wholeAtServer,
      bytes: Math.min(100_000, input * draw.log(0.05, 2)),
    };
    ways.push(...coded(draw, `cut${i}`, "shared", terms));
  }
  // What a profile says of the server was measured elsewhere; of the client, at another moment.
  const serverError = Math.exp(draw.even(-0.7, 0.7));
  const device = drawDevice(drawsOf(random.fork("device")));
  const clientError = Math.exp(draw.even(-0.2, 0.2)) / device.cold;
  const isRestless = random.fork("restless").next() < restlessShare;
  const phases =
    course === "phases"
      ? drawPhases(draw, ways, deadline, isRestless)
      : drawTrace(drawsOf(random.fork("trace")), ways, deadline);
  return {
    ...{ seed, phases },
    ways: ways.map((way) => ({
      ...way,
      told: {
        clientMs: way.clientMs * clientError,
        serverMs: way.serverMs * serverError,
        bytes: way.bytes * Math.exp(draw.even(-0.1, 0.1)),
      },
    })),
    framesPerSecond: Math.round(draw.log(5, 30)),
    deadlineMs: deadline,
    spread: draw.even(0, 0.3),
    ...{ slowMoments: draw.chance(0.7) ? device.slowMoments : undefined, slowdown: device.slowdown },
  };
}

/**
 * One in three is played by a quicker machine, so that its slow moments cost a work of it many times as much, and was
 * profiled while its caches were warm.
 */
function drawDevice(draw: Draws) {
  const isPlayed = draw.chance(1 / 3);
  return isPlayed
    ? {
        slowdown: draw.log(2, 8),
        cold: draw.log(1, 2.2),
        slowMoments: { everyMs: 1_600, lastMs: draw.even(80, 180), speed: 0.13 },
      }
    : { slowdown: 1, cold: 1, slowMoments: { everyMs: 1_600, lastMs: 120, speed: 0.2 } };
}

/** A fine codec and a coarse one of a tensor. */
function coded(
  draw: Draws,
  name: string,
  strategy: Way["strategy"],
  terms: Omit<Way, "name" | "strategy">,
): Way[] {
  const coarse = { ...terms, bytes: Math.max(200, terms.bytes * draw.even(0.15, 0.5)) };
  return [
    { ...terms, name, strategy, worth: 1 },
    { ...coarse, name: `${name} coarse`, strategy, worth: draw.even(0.93, 1) },
  ].map((way) => ({ ...way, bytes: Math.round(way.bytes) }));
}

/** @param isRestless as many phases again, each so short that hardly anything is known of it before it is over */
function drawPhases(draw: Draws, ways: readonly Way[], deadline: number, isRestless: boolean): Phase[] {
  const [slowest, quickest] = bitsPerSecond;
  const sent = ways.filter(({ bytes }) => bytes > 0);
  const phases: Phase[] = [];
  const count = (3 + Math.floor(draw.even(0, 3))) * (isRestless ? 2 : 1);
  const rttChanges = draw.chance(0.3);
  let rtt = draw.log(...rttMs);
  for (let i = 0; i < count; i++) {
    if (rttChanges) rtt = draw.log(...rttMs);
    const { bytes } = sent[Math.floor(draw.even(0, sent.length))]!;
    const critical = (bytes * 8_000) / (deadline * draw.log(...criticalDeadlines));
    const any = draw.log(...bitsPerSecond);
    const isPossible = critical >= slowest && critical <= quickest;
    const rate = isPossible && draw.chance(0.5) ? critical : any;
    const loss = draw.chance(0.5) ? 0 : draw.even(0, 0.05);
    const path = {
      ...{ rateBitsPerSecond: rate, delayMs: rtt / 2, queueMs: draw.even(50, 300) },
      ...{ loss, burst: draw.chance(0.3) ? draw.even(1, 5) : 1 },
    };
    // Twice in a row would be longer than a session lasts without a sign of life.
    const isDark = i > 0 && i < count - 1 && phases.at(-1)!.path.loss !== 1 && draw.chance(0.15);
    const clientLoad = draw.chance(0.15) ? draw.log(1.5, 5) : 1;
    const serverLoad = draw.chance(0.15) ? draw.log(2, 8) : 1;
    const words = [
      isDark ? "dark" : `${(rate / 1e6).toPrecision(2)} Mbit/s, ${rtt.toFixed(0)} ms`,
      ...(loss > 0 && !isDark ? [`loss ${(100 * loss).toFixed(1)} %`] : []),
      ...(clientLoad > 1 ? [`client x${clientLoad.toFixed(1)}`] : []),
      ...(serverLoad > 1 ? [`server x${serverLoad.toFixed(1)}`] : []),
    ];
    phases.push({
      ...{ name: words.join(", "), clientLoad, serverLoad },
      path: isDark ? { ...path, loss: 1, burst: 1 } : path,
      seconds: Math.round(isDark || isRestless ? draw.even(2, 4) : draw.even(4, 9)),
    });
  }
  return phases;
}
