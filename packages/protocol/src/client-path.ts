/** What a client knows of the way to its server, and how fast it may send on it (spec 3.4, 5.6, 5.7). */
import type { sluice } from "@sluice/proto";
import type { PathEstimate } from "./client-event.js";
import type { GateInput } from "./frame-gate.js";
import { createPacer } from "./pacer.js";
import { createPathEstimator } from "./path-estimator.js";
import { createPinger } from "./pinger.js";
import { createRateBudget } from "./rate-budget.js";
import type { RepairPatience } from "./repairer.js";
import { createRttEstimator } from "./rtt-estimator.js";

export interface ClientPath {
  handleFeedback(report: sluice.v1.Feedback, nowMs: number): void;
  handlePong(id: number, nowMs: number): void;
  /** A frame of so many payload bytes is to be sent in datagrams. */
  submitted(bytes: number, nowMs: number): void;
  /** A datagram with slices has left. */
  sent(sequence: number, bytes: number, nowMs: number): void;
  /** Slices wait to be sent where none did: the pace begins anew. */
  resume(nowMs: number): void;
  /** Takes payload bytes from what the rate allows; negative ones are given back. */
  charge(bytes: number, nowMs: number): void;
  /** Looks at the rate again: it rises while nothing is sent, too. */
  adapt(nowMs: number): void;
  /** Gives up what must have been lost. */
  expire(nowMs: number): void;
  /** A frame was turned away for the path's sake. */
  heldBack(nowMs: number): void;
  /** What the gate has to know of the path; `waitingBytes` wait to be sent. */
  gateInput(waitingBytes: number, nowMs: number): PathGateInput;
  /** The id of the ping that is due. `heardMs`: when the server was last heard of. */
  takePing(heardMs: number, nowMs: number): number | undefined;
  /** The server is heard again after a silence. */
  heardAgain(nowMs: number): void;
  /** See `Pinger.use`. */
  use(nowMs: number): void;
  nextPingMs(): number;
  isDark(nowMs: number): boolean;
  maySendSlices(nowMs: number): boolean;
  /** When slices that wait may be sent. */
  nextSliceMs(): number;
  /** Smoothed, in milliseconds. */
  readonly rttMs: number;
  /** The smallest of the last seconds; `undefined` before the first pong. */
  readonly minRttMs: number | undefined;
  readonly patience: RepairPatience;
  readonly unreceivedBytes: number;
  /** The queue that datagrams have to expect on their way, in milliseconds. */
  queueMs(nowMs: number): number;
  readonly pacingBitsPerSecond: number;
  readonly figures: PathFigures;
  /** See {@link ClientSession.pathEstimate}. */
  estimate(nowMs: number): Omit<PathEstimate, "silentMs">;
}

export type PathGateInput = Pick<
  GateInput,
  | "rttMs"
  | "isPathDark"
  | "isEstimateStale"
  | "unreceivedBytes"
  | "windowBytes"
  | "openingBytes"
  | "bandwidthBitsPerSecond"
  | "rateWaitMs"
  | "queueMs"
>;

export interface PathFigures {
  /** Smoothed, but for a few pings that a busy process has held up; in milliseconds. */
  readonly rttMs: number | undefined;
  readonly bandwidthBitsPerSecond: number | undefined;
  readonly rateBitsPerSecond: number | undefined;
  readonly lossShare: number;
  readonly meanLossRun: number;
  readonly datagramsLost: number;
  readonly lossRuns: number;
  readonly lossRunLengths: readonly number[];
}

/** Before the path is known: fast enough for one frame, slow enough for small buffers on the way. */
const initialBitsPerSecond = 20_000_000;
/** On a path below this a frame leaves faster than it arrives: the queue that it makes is short, and a path that widens shows. */
const minPacingBitsPerSecond = 1_000_000;
/** Sending a little faster than the estimate is how a faster path is found. */
const pacingGain = 1.1;
/** Frames of one or two datagrams never measure a path: as long as it delivers what is sent, the pace doubles. */
const startingGain = 2;
/** Until pings have come back. */
const assumedRttMs = 50;
/** Pings are quick for so long after the path was the limit: they tell how much of the queue never drains. */
const hurryMs = 1_000;

export function createClientPath(): ClientPath {
  const path = createPathEstimator();
  const rtt = createRttEstimator();
  const pinger = createPinger();
  const pacer = createPacer(initialBitsPerSecond);
  const budget = createRateBudget();
  /** When the gate last turned a frame away for the path's sake. */
  let heldBackMs = Number.NEGATIVE_INFINITY;

  const rttMs = () => rtt.smoothedMs ?? assumedRttMs;
  // The smallest round trip is the path without a queue; what queues is counted from the bytes.
  const minRttMs = () => rtt.minMs ?? assumedRttMs;
  const mayAddSlices = () => path.unreceivedBytes < path.windowBytes(minRttMs());
  const isDark = (nowMs: number) => path.isDark(minRttMs(), nowMs);

  /** A rate that is shown to who chooses what to send. */
  const bounded = (rate: number | undefined) =>
    rate === undefined && path.boundBitsPerSecond === Number.POSITIVE_INFINITY
      ? undefined
      : Math.min(rate ?? Number.POSITIVE_INFINITY, path.boundBitsPerSecond);

  function applyRates(nowMs: number): void {
    const { bandwidthBitsPerSecond, deliveredBitsPerSecond, rateBitsPerSecond } = path;
    pacer.setRate(
      bandwidthBitsPerSecond === undefined
        ? Math.max(initialBitsPerSecond, startingGain * deliveredBitsPerSecond)
        : Math.max(
            minPacingBitsPerSecond,
            pacingGain * Math.max(bandwidthBitsPerSecond, deliveredBitsPerSecond),
          ),
    );
    if (rateBitsPerSecond === undefined) return;
    budget.setRate(rateBitsPerSecond, nowMs);
    budget.pause(path.takePauseMs(), nowMs);
  }

  return {
    handleFeedback(report, nowMs) {
      path.handleFeedback(report, minRttMs(), nowMs);
      applyRates(nowMs);
    },
    handlePong(id, nowMs) {
      const sample = pinger.handlePong(id, nowMs);
      if (sample === undefined) return;
      rtt.add(sample, nowMs);
      path.handlePong(sample, minRttMs(), nowMs);
    },
    submitted: path.submitted,
    sent(sequence, bytes, nowMs) {
      path.sent(sequence, bytes, nowMs);
      pacer.sent(bytes, nowMs);
    },
    resume: pacer.resume,
    charge: budget.charge,
    adapt(nowMs) {
      path.adaptRate(minRttMs(), nowMs);
      applyRates(nowMs);
    },
    expire: (nowMs) => path.expire(rttMs(), nowMs),
    heldBack(nowMs) {
      heldBackMs = nowMs;
    },
    gateInput: (waitingBytes, nowMs) => ({
      rttMs: minRttMs(),
      isPathDark: isDark(nowMs),
      isEstimateStale: path.isStale(nowMs),
      unreceivedBytes: path.unreceivedBytes + waitingBytes,
      windowBytes: path.windowBytes(minRttMs()),
      openingBytes: path.openingBytes,
      bandwidthBitsPerSecond: path.bandwidthBitsPerSecond,
      rateWaitMs: budget.waitMs(nowMs),
      queueMs: path.queueMs(nowMs),
    }),
    takePing(heardMs, nowMs) {
      if (pinger.nextTimeoutMs() > nowMs) return undefined;
      return pinger.take(nowMs, { heardMs, isHurried: isDark(nowMs) || nowMs - heldBackMs < hurryMs });
    },
    heardAgain: pinger.resume,
    use: pinger.use,
    nextPingMs: () => pinger.nextTimeoutMs(),
    isDark,
    maySendSlices: (nowMs) => pacer.readyAtMs() <= nowMs && mayAddSlices(),
    nextSliceMs: () => (mayAddSlices() ? pacer.readyAtMs() : path.nextExpiryMs(rttMs())),
    get rttMs() {
      return rttMs();
    },
    get minRttMs() {
      return rtt.minMs;
    },
    get patience() {
      return { rttMs: rttMs(), rttVariationMs: rtt.variationMs };
    },
    get unreceivedBytes() {
      return path.unreceivedBytes;
    },
    queueMs: (nowMs) => path.queueMs(nowMs),
    get pacingBitsPerSecond() {
      return pacer.bitsPerSecond;
    },
    estimate: (nowMs) => ({
      ...{ rttMs: rtt.commonMs, minRttMs: rtt.minMs, lossShare: path.lossShare },
      ...{ bandwidthBitsPerSecond: bounded(path.bandwidthBitsPerSecond) },
      bandwidthAgeMs: path.bandwidthAgeMs(nowMs),
      ...{
        rateBitsPerSecond: bounded(path.rateBitsPerSecond),
        queueMs: path.queueMs(nowMs),
        isDark: isDark(nowMs),
      },
    }),
    get figures() {
      return {
        ...{ rttMs: rtt.commonMs, bandwidthBitsPerSecond: path.bandwidthBitsPerSecond },
        ...{ rateBitsPerSecond: path.rateBitsPerSecond, lossShare: path.lossShare },
        ...{ meanLossRun: path.meanLossRun, datagramsLost: path.datagramsLost, lossRuns: path.lossRuns },
        lossRunLengths: path.lossRunLengths.slice(),
      };
    },
  };
}
