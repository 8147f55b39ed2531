/**
 * A frame of another way is worked on here where that one has turned it away, or where its result has not come when the work
 * must begin to be in time. What is first in time counts. So the frames of the moment in which a path changes are not lost,
 * whatever tells of the change, and those for which a path has no room are still worked on.
 *
 * The client's part of a cut leaves no time for the whole network beside it: a frame that comes late would make the next ones late,
 * too. So of a cut only what was turned away before any work was done on it is rescued.
 */
import type { Clock } from "@sluice/transport/core";
import type { FrameOutcome } from "../frame-outcome.js";
import type { SentCandidate } from "./adaptive-api.js";

export interface Rescue {
  readonly clock: Clock;
  readonly strategy: SentCandidate<unknown>["strategy"];
  /** When the result must be there. */
  readonly endMs: number;
  /** How long the work here takes. */
  readonly workMs: number;
  /** Works on it here; not asked for where it would be too late. */
  run(): Promise<FrameOutcome>;
}

export interface Rescued {
  readonly outcome: FrameOutcome;
  readonly isHere: boolean;
}

/** Work takes longer now and then than it usually does. */
const workShare = 1.2;
/** Timers fire a little later than they are to: what is begun then is still in time. */
const timerMs = 2;

/**
 * @param sent how the frame ends by its own way
 * @throws what `sent` throws
 */
export async function orHere(sent: Promise<FrameOutcome>, rescue: Rescue): Promise<Rescued> {
  const { clock, strategy, endMs, workMs } = rescue;
  const latestMs = endMs - workShare * workMs;
  const isForServer = strategy === "server";
  const ended = isForServer ? await endedBy(latestMs, sent, clock) : await sent;
  const isFailed = isForServer ? !isInTime(ended) : isTurnedAway(ended);
  if (!isFailed || clock.now() > latestMs + timerMs) return { outcome: await sent, isHere: false };
  const ways = [
    sent.then((outcome) => (isInTime(outcome) ? { outcome, isHere: false } : undefined)),
    rescue.run().then((outcome) => (isInTime(outcome) ? { outcome, isHere: true } : undefined)),
  ];
  const first = (await Promise.race(ways)) ?? (await Promise.all(ways)).find((each) => each !== undefined);
  return first ?? { outcome: await sent, isHere: false };
}

/** `undefined`: it has not ended by then. */
async function endedBy(
  atMs: number,
  sent: Promise<FrameOutcome>,
  clock: Clock,
): Promise<FrameOutcome | undefined> {
  let timer: unknown;
  const due = new Promise<undefined>((resolve) => {
    timer = clock.schedule(Math.max(0, atMs - clock.now()), () => resolve(undefined));
  });
  try {
    return await Promise.race([sent, due]);
  } finally {
    clock.cancel(timer);
  }
}

function isInTime(outcome: FrameOutcome | undefined): boolean {
  return outcome?.status === "delivered" && outcome.onTime;
}

/** By the gate; where a frame has no turn because others are worked on, this one has none either. */
function isTurnedAway(outcome: FrameOutcome | undefined): boolean {
  return outcome?.status === "dropped" && outcome.reason !== "in-flight";
}
