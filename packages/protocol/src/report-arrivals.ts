import type { sluice } from "@sluice/proto";

/** A datagram that a report names. */
export interface Arrival {
  readonly sequence: number;
  /** Before the report was made, in milliseconds of the receiver's clock. */
  readonly beforeReportMs: number;
}

/** The arrivals that a report names by differences (spec 5.6), in their order. */
export function reportArrivals(report: sluice.v1.Feedback): Arrival[] {
  const { arrivalSequences, arrivalTimes } = report;
  const arrivals: Arrival[] = [];
  let sequence = report.nextSequence;
  let tenths = 0;
  for (let i = 0; i < Math.min(arrivalSequences.length, arrivalTimes.length); i++) {
    sequence += arrivalSequences[i]!;
    tenths += arrivalTimes[i]!;
    arrivals.push({ sequence, beforeReportMs: -tenths / 10 });
  }
  return arrivals;
}

/** Whether a datagram has come, as far as the report's map tells; `undefined` where it does not reach. */
export function hasArrived(report: sluice.v1.Feedback, sequence: number): boolean | undefined {
  return bitOf(report.received, report.nextSequence - 1 - sequence);
}

/** Whether a datagram was lost and forward error correction has brought it back (spec 5.8). */
export function wasRecovered(report: sluice.v1.Feedback, sequence: number): boolean {
  return bitOf(report.recovered, report.nextSequence - 1 - sequence) === true;
}

function bitOf(map: Uint8Array, bit: number): boolean | undefined {
  const byte = map[bit >> 3];
  return bit < 0 || byte === undefined ? undefined : ((byte >> (bit & 7)) & 1) === 1;
}
