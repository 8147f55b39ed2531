/** How the path has lost over the last thousands of datagrams, from receiver reports (spec 5.6). */
import type { PathLoss } from "./loss-model.js";

export interface LossEstimator {
  /** A report's totals since the start of the session; one that was overtaken by a later one changes nothing. */
  handleReport(totals: {
    readonly nextSequence: number;
    readonly lost: number;
    readonly lossRuns: number;
  }): void;
  readonly loss: PathLoss;
}

/** Bursts are rare: a mean over fewer datagrams says 0 between two of them. */
const slowWindow = 1_500;
/** What happens now counts by half: a path that has become worse is believed soon, a single burst is not. */
const fastWindow = 128;
const fastWeight = 0.5;

export function createLossEstimator(): LossEstimator {
  let told = 0;
  let lost = 0;
  let runs = 0;
  let slowShare = 0;
  let slowRuns = 0;
  let fastShare = 0;
  return {
    handleReport(totals) {
      const count = totals.nextSequence - told;
      if (count <= 0) return;
      const share = clamp((totals.lost - lost) / count);
      // The plain mean at first: there is no older value to hold on to.
      const slow = Math.max(count / slowWindow, count / totals.nextSequence);
      slowShare += (share - slowShare) * Math.min(1, slow);
      slowRuns += (clamp((totals.lossRuns - runs) / count) - slowRuns) * Math.min(1, slow);
      fastShare += (share - fastShare) * Math.min(1, count / fastWindow);
      told = totals.nextSequence;
      lost = totals.lost;
      runs = totals.lossRuns;
    },
    get loss() {
      const meanRun = slowRuns > 0 ? Math.max(1, slowShare / slowRuns) : 1;
      return { share: Math.max(slowShare, fastWeight * fastShare), meanRun };
    },
  };
}

function clamp(value: number): number {
  return Math.min(1, Math.max(0, value));
}
