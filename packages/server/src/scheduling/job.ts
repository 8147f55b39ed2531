/** What waits for the networks, and for which. */
import type { CostCurve } from "./cost-curve.js";
import type { Share } from "./fair-shares.js";

/** A network that frames wait for. */
export interface Lane {
  readonly curve: CostCurve;
  /** Batches that may be under way: one at work and one that is got ready meanwhile, or as many as a remote one takes. */
  readonly maxUnderWay: number;
  /** Whether it works on one batch after another, so that what is under way is in the way. */
  readonly isSerial: boolean;
  /** The state below is kept by the queue. */
  waiting: number;
  /** Sizes of the batches under way, in the order in which they began. */
  readonly underWay: number[];
  busyUntilMs: number;
  idleSinceMs: number;
  /** When it last ended a batch, or a frame was last shed for what is expected of it; Infinity: never. */
  learntMs: number;
  gapMs: number;
  lastArrivalMs: number;
}

/** A frame that waits. */
export interface Job {
  readonly share: Share;
  readonly lane: Lane;
  /** When it came here, in milliseconds. */
  readonly arrivedMs: number;
  /** When its result must leave, in milliseconds. */
  readonly expiresAtMs: number;
  /** What it holds while it waits. */
  readonly bytes: number;
}
