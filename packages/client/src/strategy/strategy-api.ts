/** What the choice among the ways to run a network takes in and gives out. */
import type { InferenceTerms, PathEstimate, SessionLimits, Strategy } from "@sluice/protocol";

/** One way to run a network: where it is cut, and with what codec the tensor at the cut is sent. */
export interface StrategyCandidate {
  /** Names it in events and metrics: `client`, `server`, `add_3 quantize:levels=8`. */
  readonly name: string;
  readonly strategy: Strategy;
  /** As far as they are known beforehand; what is measured while it runs takes their place. */
  readonly terms: InferenceTerms;
  /** What a result of it is worth beside one of the whole network, 0 to 1: share of right answers kept. Default 1. */
  readonly worth?: number;
}

export interface SelectorOptions {
  readonly candidates: readonly StrategyCandidate[];
  /** How long after its capture a result is useful, in milliseconds. */
  readonly deadlineMs: number;
  /** Frames that the client's part works on at once. Default 1. */
  readonly clientConcurrency?: number;
  /** A choice is kept at least so long, unless nothing comes back by it. Default 1,000. */
  readonly minDwellMs?: number;
  /** By how much another one must be better, as a share. Default 0.05. */
  readonly minGain?: number;
  /** What a result at its deadline is worth less than one at once, 0 to 1. Default 0.1. */
  readonly latencyWeight?: number;
  /** Between probes of a path that the choice does not use, in milliseconds. Default 1,000. */
  readonly probeIntervalMs?: number;
}

/** What holds at the moment of a choice. */
export interface SelectorConditions {
  readonly nowMs: number;
  /** Frames per second that the source offers. */
  readonly framesPerSecond: number;
  /** `undefined` where there is no session. */
  readonly path: PathEstimate | undefined;
  /** What the server has announced. */
  readonly limits: SessionLimits | undefined;
  /** Candidates that cannot be used now: the server has refused their stream. */
  readonly unavailable?: ReadonlySet<string>;
}

/** What became of a frame that was sent by a candidate. */
export interface StrategySample {
  readonly candidate: string;
  /** Whether its result came within the deadline. */
  readonly onTime: boolean;
  /** It was sent beside the chosen way, to learn about the path. */
  readonly isProbe: boolean;
  /** The gate turned it away. */
  readonly isDropped: boolean;
  /** When it was offered, in milliseconds. */
  readonly offeredMs: number;
  /** Time in which the client's part was worked on, without waiting for its turn; `undefined` where it did not run. */
  readonly clientMs?: number;
  /** Where a result has come: its stages in milliseconds, its bytes. */
  readonly delivered?: {
    readonly encodeMs: number;
    readonly bytes: number;
    readonly decodeMs: number;
    readonly queueMs: number;
    readonly serverMs: number;
    readonly networkMs: number;
    readonly reassemblyMs: number;
  };
}

/** Why another candidate was chosen. */
export type SwitchCause =
  /** The first choice. */
  | "start"
  /** The path went dark or its session ended; and the way back. */
  | "path-lost"
  | "path-back"
  | "bandwidth"
  | "round-trip"
  | "client-load"
  | "server-load"
  /** The server refuses the stream of the last choice, or takes it again. */
  | "availability"
  /** Less came in time than was to be expected. */
  | "late-results"
  /** Nothing changed but what is known. */
  | "better";

/** What a candidate would do now. */
export interface Prediction {
  readonly candidate: string;
  /** I_t, with load and queues, in milliseconds; Infinity where it cannot be used. */
  readonly totalMs: number;
  /** What of it the client's part takes. */
  readonly clientMs: number;
  /** Frames per second that it carries; those of them that are in time by all that is known of path and loads. */
  readonly framesPerSecond: number;
  readonly promisedPerSecond: number;
  /** The same by what lately came true of such promises. */
  readonly onTimePerSecond: number;
  /** What is compared: results in time per second, by their worth and lateness. */
  readonly score: number;
}

/** Loads and rates that a choice was made by. */
export interface StrategyEstimates {
  readonly bandwidthBitsPerSecond: number | undefined;
  readonly rttMs: number | undefined;
  readonly lossShare: number;
  /** How many times longer than its profile says each side takes. */
  readonly clientLoad: number;
  readonly serverLoad: number;
  /** How long frames wait at the server. */
  readonly serverQueueMs: number;
}

export interface StrategySwitch {
  readonly atMs: number;
  /** `undefined`: the first choice. */
  readonly from: string | undefined;
  readonly to: string;
  readonly cause: SwitchCause;
  /** The same for people, with figures. */
  readonly reason: string;
  readonly estimates: StrategyEstimates;
  readonly predictions: readonly Prediction[];
}

export interface StrategyDecision {
  /** The name of the candidate to use. */
  readonly candidate: string;
  /** A candidate to send this frame by as well, to learn about the path. */
  readonly probe: string | undefined;
  /** Where the choice is another one than before. */
  readonly switched: StrategySwitch | undefined;
}

/** Chooses among candidates. Time is an argument; the same calls give the same choices. */
export interface StrategySelector {
  /** To be asked for every frame. */
  choose(conditions: SelectorConditions): StrategyDecision;
  /** What became of a frame. */
  add(sample: StrategySample, nowMs: number): void;
  /** What each candidate would do under the last conditions. */
  readonly predictions: readonly Prediction[];
  readonly estimates: StrategyEstimates;
}
