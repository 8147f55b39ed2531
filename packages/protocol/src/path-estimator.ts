/** The sender's picture of the path: what is on its way, how fast it delivers, how much it loses (spec 5.6). */
import type { sluice } from "@sluice/proto";
import { createBandwidthEstimator } from "./bandwidth-estimator.js";
import { createDeliveryRate } from "./delivery-rate.js";
import { createFlight } from "./flight.js";
import { maxBlindBytes } from "./limits.js";
import { createLossRunLengths } from "./loss-run-lengths.js";
import { createQueueDelay } from "./queue-delay.js";
import { createRateController } from "./rate-controller.js";
import { reportArrivals } from "./report-arrivals.js";
import { createTrainFinder, keptBusy, leftTogether } from "./train-finder.js";
import { createWindowedMin } from "./windowed-min.js";

export interface PathEstimator {
  /** A frame of so many bytes is to be sent. */
  submitted(bytes: number, nowMs: number): void;
  sent(sequence: number, bytes: number, nowMs: number): void;
  /** Takes a receiver report in. Reports may be lost, late or out of order. */
  handleFeedback(report: sluice.v1.Feedback, rttMs: number, nowMs: number): void;
  /** Looks at the rate again: it rises while nothing is sent, too. */
  adaptRate(rttMs: number, nowMs: number): void;
  /** A ping came back after `sampleMs`. */
  handlePong(sampleMs: number, rttMs: number, nowMs: number): void;
  /** Gives up what must have been lost at the end of a burst, where no later datagram tells. */
  expire(rttMs: number, nowMs: number): void;
  /** Whether so much was sent without any answer that more would be for nothing (spec 3.4). */
  isDark(rttMs: number, nowMs: number): boolean;
  /** When {@link expire} has something to do; Infinity where nothing is on its way. */
  nextExpiryMs(rttMs: number): number;
  /** Whether the bandwidth may be another one: it was not measured for long, or by a train that was much faster. */
  isStale(nowMs: number): boolean;
  /** How long ago it was measured; Infinity: never. */
  bandwidthAgeMs(nowMs: number): number;
  readonly unreceivedBytes: number;
  /**
   * What may be on its way at once: a path that goes dark is not filled. While it is new, twice what it has delivered:
   * QUIC's own window opens that fast, and what waits for it comes too late.
   */
  windowBytes(rttMs: number): number;
  /** What may be on its way for what the path has shown to deliver. */
  readonly openingBytes: number;
  /** What the bottleneck carries. */
  readonly bandwidthBitsPerSecond: number | undefined;
  /** See {@link BandwidthEstimator.boundBitsPerSecond}. */
  readonly boundBitsPerSecond: number;
  /** What the path has delivered lately: it carries no less. 0: not known. */
  readonly deliveredBitsPerSecond: number;
  /** What this session may take of it. */
  readonly rateBitsPerSecond: number | undefined;
  /** See {@link RateController.takePauseMs}. */
  takePauseMs(): number;
  /** How long a datagram has to expect to wait in queues on its way. */
  queueMs(nowMs: number): number;
  /** Share of the datagrams lost lately, 0 to 1, and the mean length of the runs that they formed. */
  readonly lossShare: number;
  readonly meanLossRun: number;
  /** Datagrams lost, of those that the receiver has reported on. */
  readonly datagramsLost: number;
  readonly lossRuns: number;
  readonly lossRunLengths: readonly number[];
  readonly datagramsReported: number;
}

/** What waits in a queue is not lost: a path may hold a second of it before the round trip has told. */
const minExpiryMs = 1_000;
/** Loss is smoothed over about so many datagrams. */
const lossWindow = 128;
/** How much longer than a round trip an answer may take: pings are a quarter of a second apart. */
const darkMs = 350;

const staleMs = 1_000;
/** A path that has changed soon changes again more often than others do: for a while its bandwidth is measured sooner. */
const newStaleMs = 250;
const newMs = 2_000;
/** A path that is new, and too narrow for what is sent, shows so soon. */
const longestRunMs = 250;
/** The largest frame of so long says how long a queue may be a frame's own. */
const frameWindowMs = 10_000;
/** Beside what a round trip holds, so much may be on its way: reports are gathered, and paths have queues. */
const windowSlackMs = 120;

export function createPathEstimator(): PathEstimator {
  const flight = createFlight();
  const bandwidth = createBandwidthEstimator();
  let measuredMs = 0;
  const bursts = createTrainFinder(leftTogether, (train) => bandwidth.addBurst(train, measuredMs));
  const runs = createTrainFinder(keptBusy, (train) => bandwidth.addRun(train, measuredMs), longestRunMs);
  const queue = createQueueDelay();
  /** Of their sizes with a minus: the largest is the smallest. */
  const frames = createWindowedMin(frameWindowMs);
  const rate = createRateController();
  const delivery = createDeliveryRate();
  let reportedUpTo = 0;
  let deliveredBytes = 0;
  let deliveredRate = 0;
  let changes = 0;
  /** When the path last became another one. */
  let changedMs = Number.NEGATIVE_INFINITY;
  let datagramsLost = 0;
  let lossRuns = 0;
  const lossRunLengths = createLossRunLengths();
  let lossShare = 0;
  let runShare = 0;
  /** When the first datagram left that no sign has followed. */
  let unansweredMs: number | undefined;
  /** The receiver's clock without its wrap, at its last report. */
  let lastReportTime: number | undefined;
  let receiverMs = 0;

  function measure(report: sluice.v1.Feedback, nowMs: number): void {
    measuredMs = nowMs;
    const reportedMs = unwrap(report.reportTime);
    for (const { sequence, beforeReportMs } of reportArrivals(report)) {
      const sent = flight.lookUp(sequence);
      if (!sent) continue;
      const arrivedMs = reportedMs - beforeReportMs;
      const { sentMs, bytes } = sent;
      const queuedMs = queue.add(sentMs, arrivedMs, nowMs);
      const arrival = { sequence, bytes, sentMs, arrivedMs, queuedMs };
      bursts.add(arrival);
      runs.add(arrival);
    }
  }

  function unwrap(reportTime: number): number {
    receiverMs += lastReportTime === undefined ? 0 : ((reportTime - lastReportTime) | 0) / 10;
    lastReportTime = reportTime;
    return receiverMs;
  }

  function countLosses(report: sluice.v1.Feedback): void {
    const weight = Math.min(1, (report.nextSequence - reportedUpTo) / lossWindow);
    const told = Math.max(1, report.nextSequence - reportedUpTo);
    const clamp = (value: number) => Math.min(1, Math.max(0, value / told));
    lossShare += (clamp(report.lost - datagramsLost) - lossShare) * weight;
    runShare += (clamp(report.lossRuns - lossRuns) - runShare) * weight;
    datagramsLost = report.lost;
    lossRuns = report.lossRuns;
  }

  function isDark(rttMs: number, nowMs: number): boolean {
    return unansweredMs !== undefined && nowMs - unansweredMs > rttMs + darkMs;
  }

  /** Something came from the other side that answers something sent: the path is not dark. */
  function handleSign(rttMs: number, nowMs: number): void {
    if (isDark(rttMs, nowMs)) rate.handleSilence();
    unansweredMs = undefined;
  }

  function adaptRate(rttMs: number, nowMs: number): void {
    if (bandwidth.changes > changes) {
      changes = bandwidth.changes;
      changedMs = nowMs;
      delivery.forget();
    }
    deliveredRate = delivery.bitsPerSecond(nowMs);
    const { bitsPerSecond } = bandwidth;
    if (bitsPerSecond !== undefined) queue.setFrameMs((-8_000 * (frames.get(nowMs) ?? 0)) / bitsPerSecond);
    rate.update({
      nowMs,
      rttMs,
      lossShare,
      datagramsReported: reportedUpTo,
      datagramsLost,
      changes: bandwidth.changes,
      standingQueueMs: queue.standingMs(nowMs),
      standingWindowMs: queue.standingWindowMs,
      capacityBitsPerSecond: bitsPerSecond,
    });
  }

  return {
    submitted: (bytes, nowMs) => frames.add(-bytes, nowMs),
    sent(sequence, bytes, nowMs) {
      flight.sent(sequence, bytes, nowMs);
      unansweredMs ??= nowMs;
    },
    handleFeedback(report, rttMs, nowMs) {
      measure(report, nowMs);
      flight.reportedUpTo(report.nextSequence);
      if (flight.unreceivedBytes === 0) {
        bursts.finish();
        runs.finish();
      }
      if (report.nextSequence > reportedUpTo) {
        countLosses(report);
        lossRunLengths.handleReport(report);
        reportedUpTo = report.nextSequence;
        deliveredBytes = Number(report.bytesReceived);
        const sentMs = flight.lookUp(reportedUpTo - 1)?.sentMs;
        if (sentMs !== undefined) delivery.add({ deliveredBytes, sentMs, reportedMs: receiverMs }, nowMs);
        handleSign(rttMs, nowMs);
      }
      adaptRate(rttMs, nowMs);
    },
    adaptRate,
    handlePong(sampleMs, rttMs, nowMs) {
      handleSign(rttMs, nowMs);
      queue.addRoundTrip(sampleMs, nowMs);
    },
    expire: (rttMs, nowMs) => flight.expire(nowMs - Math.max(minExpiryMs, 3 * rttMs)),
    windowBytes(rttMs) {
      const bytesPerMs = Math.max(bandwidth.bitsPerSecond ?? 0, deliveredRate) / 8_000;
      return Math.max(maxBlindBytes, Math.min(2 * deliveredBytes, bytesPerMs * (rttMs + windowSlackMs)));
    },
    get openingBytes() {
      return Math.max(maxBlindBytes, 2 * deliveredBytes);
    },
    isDark,
    isStale(nowMs) {
      if (bandwidth.isDoubted && flight.unreceivedBytes === 0) return true;
      return nowMs - bandwidth.measuredMs > (nowMs - changedMs < newMs ? newStaleMs : staleMs);
    },
    bandwidthAgeMs: (nowMs) => nowMs - bandwidth.measuredMs,
    // A little later than it must be: a wake-up for which rounding leaves nothing to do would come again at once.
    nextExpiryMs: (rttMs) => flight.oldestSentMs + Math.max(minExpiryMs, 3 * rttMs) + 0.1,
    get unreceivedBytes() {
      return flight.unreceivedBytes;
    },
    get bandwidthBitsPerSecond() {
      return bandwidth.bitsPerSecond;
    },
    get boundBitsPerSecond() {
      return bandwidth.boundBitsPerSecond;
    },
    get deliveredBitsPerSecond() {
      return deliveredRate;
    },
    get rateBitsPerSecond() {
      return rate.bitsPerSecond;
    },
    takePauseMs: rate.takePauseMs,
    queueMs: queue.expectedMs,
    get lossShare() {
      return lossShare;
    },
    get meanLossRun() {
      return runShare > 0 ? Math.max(1, lossShare / runShare) : 1;
    },
    get datagramsLost() {
      return datagramsLost;
    },
    get lossRuns() {
      return lossRuns;
    },
    lossRunLengths: lossRunLengths.counts,
    get datagramsReported() {
      return reportedUpTo;
    },
  };
}
