/** A stream of frames whose way through the network changes with the conditions. */
import type { PathEstimate, SessionLimits } from "@sluice/protocol";
import type { Tensor } from "@sluice/tensor";
import type { Clock } from "@sluice/transport/core";
import type { FrameBudget, OpenStreamOptions, TensorStream } from "../client-api.js";
import type { ClientError } from "../client-error.js";
import type { FrameCounts } from "../frame-counts.js";
import type { FrameOutcome } from "../frame-outcome.js";
import type {
  Prediction,
  SelectorOptions,
  StrategyCandidate,
  StrategyEstimates,
  StrategySwitch,
} from "./strategy-api.js";

/** The whole network here: nothing is sent. */
export interface LocalCandidate<Frame> extends StrategyCandidate {
  readonly strategy: "client";
  /** Gives the answer. */
  run(frame: Frame): Promise<unknown>;
}

/** A tensor stream of the session: of a cut or of the network's input. */
export interface SentCandidate<Frame> extends StrategyCandidate {
  readonly strategy: "shared" | "server";
  readonly stream: Omit<OpenStreamOptions, "deadlineMs">;
  /** The tensor to be sent: the client's part of the network, or the frame itself. */
  produce(frame: Frame, budget: FrameBudget): Tensor | Promise<Tensor>;
}

export type AdaptiveCandidate<Frame> = LocalCandidate<Frame> | SentCandidate<Frame>;

export interface AdaptiveStreamOptions<Frame> extends Omit<SelectorOptions, "candidates"> {
  /** Each is open from the start, so that a change costs no round trip. At most 16. */
  readonly candidates: readonly AdaptiveCandidate<Frame>[];
  /** Frames per second that are expected, until enough have come to count them. Default 30. */
  readonly framesPerSecond?: number;
  /** Another candidate is used from now on, and why. */
  readonly onSwitch?: (change: StrategySwitch) => void;
  /** A candidate cannot be used: the server refuses its stream. The others go on. */
  readonly onUnavailable?: (candidate: string, error: ClientError) => void;
  /** Closes the streams when it aborts. */
  readonly signal?: AbortSignal;
  /** Default: the host's own. */
  readonly clock?: Clock;
}

/** What it needs of a client; both kinds of clients have it. */
export interface AdaptiveClient {
  openStream(options: OpenStreamOptions): Promise<TensorStream>;
  readonly limits: SessionLimits | undefined;
  pathEstimate(): PathEstimate | undefined;
}

/**
 * How a frame ended: of which choice it was, and by which candidate; another one where the work here has made up for the
 * choice (`rescue.ts`).
 */
export type AdaptiveOutcome = FrameOutcome & { readonly choice: string; readonly candidate: string };

/** Counts since the start. Probes stand apart. */
export interface AdaptiveFigures extends FrameCounts {
  readonly switches: number;
  readonly probes: number;
  /** Frames that were sent and whose result is that of the work here, which was begun as the sent one did not come. */
  readonly rescued: number;
  /** Frames offered to each candidate. */
  readonly offeredTo: Readonly<Record<string, number>>;
  readonly estimates: StrategyEstimates;
  readonly predictions: readonly Prediction[];
}

export interface AdaptiveStream<Frame> {
  /** The candidate of the next frame, as things stand; `undefined` before the first one. */
  readonly candidate: string | undefined;
  /** Codecs and modes as they were agreed on; without those that the server refuses. */
  readonly streams: ReadonlyMap<string, TensorStream>;
  /**
   * Offers a frame: the choice, the gate and the client's part come in this order.
   * @param capturedMs when the frame was captured, on the client's clock; default: now
   * @throws what the candidate's part throws
   */
  send(frame: Frame, capturedMs?: number): Promise<AdaptiveOutcome>;
  /** To be called by a client that reconnects and whose stream the new session's server refuses; false: not ours. */
  handleStreamLost(stream: TensorStream, error: ClientError): boolean;
  figures(): AdaptiveFigures;
  /** No more frames follow. The session stays. */
  close(): void;
}
