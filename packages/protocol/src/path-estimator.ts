/** The sender's picture of the path: what is on its way, how fast it delivers, how much it loses (spec 5.6). */
import type { sluice } from "@sluice/proto";
import { createBandwidthEstimator } from "./bandwidth-estimator.js";
import { createFlight } from "./flight.js";
import { reportArrivals } from "./report-arrivals.js";

export interface PathEstimator {
  sent(sequence: number, bytes: number, nowMs: number): void;
  /** Takes a receiver report in. Reports may be lost, late or out of order. */
  handleFeedback(report: sluice.v1.Feedback, nowMs: number): void;
  /** Gives up what must have been lost at the end of a burst, where no later datagram tells. */
  expire(rttMs: number, nowMs: number): void;
  readonly unreceivedBytes: number;
  readonly bandwidthBitsPerSecond: number | undefined;
  /** Datagrams lost, of those that the receiver has reported on. */
  readonly datagramsLost: number;
  readonly lossRuns: number;
  readonly datagramsReported: number;
}

/** Datagrams that left within so many milliseconds of each other form a train. */
const trainGapMs = 2.5;
/** What waits in a queue is not lost: a path may hold a second of it before the round trip has told. */
const minExpiryMs = 1_000;
/** Fewer datagrams say more about jitter than about the path. */
const minTrainLength = 3;

export function createPathEstimator(): PathEstimator {
  const flight = createFlight();
  const bandwidth = createBandwidthEstimator();
  let reportedUpTo = 0;
  let datagramsLost = 0;
  let lossRuns = 0;

  function measureTrains(report: sluice.v1.Feedback, nowMs: number): void {
    let length = 0;
    let bytes = 0;
    let startedMs = 0;
    let lastMs = 0;
    let lastSentMs = 0;
    let lastSequence = -1;
    const finish = () => {
      if (length >= minTrainLength) bandwidth.addTrain(bytes, lastMs - startedMs, nowMs);
    };
    for (const { sequence, beforeReportMs } of reportArrivals(report)) {
      const atMs = -beforeReportMs;
      const sent = flight.lookUp(sequence);
      if (!sent) continue;
      const follows = length > 0 && sequence === lastSequence + 1 && sent.sentMs - lastSentMs <= trainGapMs;
      if (follows && atMs >= lastMs) {
        length++;
        bytes += sent.bytes;
      } else {
        finish();
        length = 1;
        bytes = 0;
        startedMs = atMs;
      }
      lastMs = atMs;
      lastSentMs = sent.sentMs;
      lastSequence = sequence;
    }
    finish();
  }

  return {
    sent: flight.sent,
    handleFeedback(report, nowMs) {
      measureTrains(report, nowMs);
      flight.reportedUpTo(report.nextSequence);
      if (report.nextSequence < reportedUpTo) return;
      reportedUpTo = report.nextSequence;
      datagramsLost = report.lost;
      lossRuns = report.lossRuns;
    },
    expire: (rttMs, nowMs) => flight.expire(nowMs - Math.max(minExpiryMs, 3 * rttMs)),
    get unreceivedBytes() {
      return flight.unreceivedBytes;
    },
    get bandwidthBitsPerSecond() {
      return bandwidth.bitsPerSecond;
    },
    get datagramsLost() {
      return datagramsLost;
    },
    get lossRuns() {
      return lossRuns;
    },
    get datagramsReported() {
      return reportedUpTo;
    },
  };
}
