import type { CostCurve } from "./cost-curve.js";

export interface HoldQuestion {
  readonly curve: CostCurve;
  /** Frames that wait, at least 1. */
  readonly frames: number;
  /** Time between two frames that come for the network, smoothed; Infinity while it is not known. */
  readonly gapMs: number;
  /** When the first of the frames that wait has to be done. */
  readonly expiresAtMs: number;
  /** When the network could have begun with them: what has been waited since then counts. */
  readonly idleSinceMs: number;
}

/** Below this share of its time the network keeps up anyway, and waiting would only delay results. */
const busyShare = 0.9;

/**
 * Until when an idle network should wait for more frames before it begins; `idleSinceMs` or earlier: not at all. It waits
 * where frames come faster than it could work them off in batches of the present size, where the next one is expected sooner
 * than a run of its own would take longer than its place in the batch, no longer than that saving, and never so long that
 * the first to be due would be late in a full batch.
 */
export function holdUntilMs(question: HoldQuestion): number {
  const { curve, frames, gapMs, expiresAtMs, idleSinceMs } = question;
  if (frames >= curve.usefulFrames) return idleSinceMs;
  const nowMs = curve.msOf(frames);
  const savingMs = nowMs + curve.msOf(1) - curve.msOf(frames + 1);
  if (nowMs / frames < busyShare * gapMs || savingMs <= gapMs) return idleSinceMs;
  const latestStartMs = expiresAtMs - curve.msOf(curve.usefulFrames) - curve.msOf(1);
  return Math.min(idleSinceMs + savingMs, latestStartMs);
}
