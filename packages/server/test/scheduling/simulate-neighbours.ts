/** Eight good clients beside one bad, on virtual time: what the bad one does to their latency in front of a network. */
import { createRandom } from "@sluice/simnet";
import { simulateQueue } from "./simulate-queue.js";

export type BadKind = "none" | "stall" | "flood" | "die";

const goodClients = 8;
const framePeriodMs = 1_000 / 30;
const jitterMs = 3;
/** Good ones can wait, and bad ones claim that they cannot. */
const goodDeadlineMs = 500;
const badDeadlineMs = 150;
const seconds = 20;

interface Arrival {
  readonly atMs: number;
  readonly session: string;
  readonly isGood: boolean;
}

/** When the frames of a bad client come. */
function badArrivals(kind: BadKind, random: () => number): Arrival[] {
  const arrivals: Arrival[] = [];
  const add = (session: string, atMs: number) => arrivals.push({ atMs, session, isGood: false });
  for (let second = 0; second < seconds; second++) {
    const beginMs = second * 1_000;
    // Sixteen frames at once, and nothing more; every second another one.
    const stallMs = beginMs + random() * 1_000;
    if (kind === "stall") for (let i = 0; i < 16; i++) add(`stall ${second}`, stallMs + i * 0.1);
    // Four sessions of one process, of which three frames each are let in every 50 ms.
    for (let i = 0; i < (kind === "flood" ? 4 * 20 * 3 : 0); i++)
      add(`flood ${i % 4}`, beginMs + Math.floor(i / 12) * 50 + (i % 12) * 0.1);
    // Another session every 250 ms, with a frame every 5 ms.
    for (let i = 0; i < (kind === "die" ? 200 : 0); i++)
      add(`die ${second}.${Math.floor(i / 50)}`, beginMs + i * 5 + random() * jitterMs);
  }
  return arrivals;
}

/** The good clients' latencies in rising order, in milliseconds; one that was shed has its deadline's. */
export function latenciesBeside(
  kind: BadKind,
  { cost, maxFrames, seed }: { cost: (frames: number) => number; maxFrames: number; seed: number },
): number[] {
  const random = createRandom(seed);
  const sim = simulateQueue();
  const lane = sim.createLane(cost, maxFrames);
  const arrivals = badArrivals(kind, random.fork("bad").next);
  for (let client = 0; client < goodClients; client++) {
    const beginMs = random.next() * framePeriodMs;
    for (let atMs = beginMs; atMs < seconds * 1_000; atMs += framePeriodMs)
      arrivals.push({ atMs: atMs + random.next() * jitterMs, session: `good ${client}`, isGood: true });
  }
  arrivals.sort((a, b) => a.atMs - b.atMs);
  const shares = new Map(arrivals.map(({ session }) => [session, sim.queue.createShare()]));
  for (const [i, { atMs, session, isGood }] of arrivals.entries()) {
    sim.run(atMs);
    const expiresAtMs = atMs + (isGood ? goodDeadlineMs : badDeadlineMs);
    sim.push({ name: `${i}`, share: shares.get(session)!, lane, expiresAtMs });
  }
  sim.run(seconds * 1_000 + goodDeadlineMs);
  return arrivals
    .flatMap(({ atMs, isGood }, i) => {
      const endMs = sim.ends.get(`${i}`) ?? atMs + goodDeadlineMs;
      return isGood ? [endMs - atMs] : [];
    })
    .sort((a, b) => a - b);
}
