/** How long the runs of lost datagrams are, from the maps of receiver reports (spec 5.6). */
import type { sluice } from "@sluice/proto";
import { hasArrived } from "./report-arrivals.js";

export interface LossRunLengths {
  handleReport(report: sluice.v1.Feedback): void;
  /** Runs of i + 1 datagrams at i, for {@link longestCountedRun} and more at the end. */
  readonly counts: readonly number[];
}

/** Longer runs count as this long. */
export const longestCountedRun = 64;
/** What fewer datagrams have overtaken may be late and not lost (RFC 9002 6.1). */
const overtakenDatagrams = 8;

export function createLossRunLengths(): LossRunLengths {
  const counts: number[] = [];
  let settled = 0;
  let run = 0;

  function finish(): void {
    if (run === 0) return;
    const longest = Math.min(run, longestCountedRun);
    while (counts.length < longest) counts.push(0);
    counts[longest - 1]!++;
    run = 0;
  }

  return {
    handleReport(report) {
      const first = report.nextSequence - 8 * report.received.length;
      if (settled < first) {
        // No report has told of what lies between: the run ends where knowledge does.
        finish();
        settled = first;
      }
      for (; settled < report.nextSequence - overtakenDatagrams; settled++) {
        if (hasArrived(report, settled)) finish();
        else run++;
      }
    },
    counts,
  };
}
