/**
 * What a session tells about its work while it does it, for whoever writes it down: `@sluice/tracing` makes traces of
 * frames and qlog files of it. Nothing of the session depends on it, and nothing is made where nobody listens. Names and
 * fields are listed with their units in the README of that package.
 */
import type { sluice } from "@sluice/proto";
import type { DropReason, ExpiryReason } from "./frame-ledger.js";
import type { SessionLimits } from "./limits.js";
import type { SliceReceipt } from "./reassembly.js";
import type { DeliveryMode, TensorStreamOptions } from "./tensor-stream.js";

/** A frame of the session, by the alias of its stream and its number. */
export interface FrameName {
  readonly stream: number;
  readonly frame: number;
}

/** Where the server says that the time of a frame went, in milliseconds. */
export interface ServerStages {
  readonly reassembly: number;
  readonly decode: number;
  readonly conceal: number;
  readonly queue: number;
  readonly inference: number;
}

/** What a stream was opened with; texts are empty where there is none. */
export interface StreamTerms {
  readonly model: string;
  readonly split: string;
  readonly codec: string;
  readonly mode: DeliveryMode;
  readonly fec: string;
  readonly concealment: string;
  readonly deadlineMs: number;
}

/** What a report says of all datagrams with slices. */
interface ReportFigures {
  readonly nextSequence: number;
  readonly datagramsReceived: number;
  readonly lost: number;
  readonly lossRuns: number;
  readonly queuedFrames: number;
}

/** What both sides tell. */
type CommonEvent =
  /** `agent`: what the peer calls itself. */
  | { readonly name: "session_opened"; readonly agent: string; readonly capabilities: readonly string[] }
  | { readonly name: "session_closed"; readonly code: number; readonly reason: string }
  | ({ readonly name: "stream_opened"; readonly stream: number } & StreamTerms)
  | {
      readonly name: "stream_rejected";
      readonly stream: number;
      readonly code: number;
      readonly reason: string;
    }
  | { readonly name: "stream_closed"; readonly stream: number }
  | ({ readonly name: "limits_updated" } & SessionLimits);

/** A slice in a datagram; `bytes` of its payload. */
interface SliceOnItsWay extends FrameName {
  readonly index: number;
  readonly count: number;
  readonly bytes: number;
  /** Number of the datagram. */
  readonly sequence: number;
}

/** What a client tells. */
type ClientSessionEvent =
  | { readonly name: "frame_dropped"; readonly stream: number; readonly reason: DropReason }
  | ({
      readonly name: "frame_admitted";
      readonly capturedMs: number;
      readonly expectedBytes: number;
    } & FrameName)
  /** The client's half of the model is done with it. */
  | ({ readonly name: "tensor_produced" } & FrameName)
  | ({ readonly name: "tensor_encoded"; readonly slices: number; readonly bytes: number } & FrameName)
  | ({ readonly name: "slice_sent"; readonly isRepeat: boolean } & SliceOnItsWay)
  | ({ readonly name: "repair_sent" } & SliceOnItsWay)
  | ({ readonly name: "report_received" } & ReportFigures)
  | {
      readonly name: "rate_updated";
      readonly bandwidthBitsPerSecond: number | undefined;
      readonly rateBitsPerSecond: number | undefined;
      readonly rttMs: number | undefined;
      readonly queueMs: number;
    }
  | ({
      readonly name: "frame_expired";
      readonly reason: ExpiryReason;
      readonly rttMs: number | undefined;
      /** Where the server has answered. */
      readonly stages?: ServerStages;
    } & FrameName)
  | ({
      readonly name: "frame_delivered";
      readonly latencyMs: number;
      readonly onTime: boolean;
      /** Smoothed round trip; `undefined`: not measured yet. */
      readonly rttMs: number | undefined;
      readonly stages: ServerStages;
      readonly slicesReceived: number;
      readonly slicesRecovered: number;
      readonly elements: number;
      readonly concealedElements: number;
    } & FrameName);

/** How a frame ended at the server. */
export type ServerOutcome = "done" | "expired" | "undecodable" | "failed";

/** What a server tells. */
type ServerSessionEvent =
  /** `sequence` is not there where it came on a QUIC stream or out of repair symbols. */
  | ({ readonly name: "slice_received"; readonly isRecovered: boolean } & Omit<SliceOnItsWay, "sequence"> & {
        readonly sequence?: number;
      })
  | ({
      readonly name: "slice_refused";
      readonly receipt: Exclude<SliceReceipt, "taken">;
    } & FrameName)
  | ({ readonly name: "repair_received" } & SliceOnItsWay)
  | { readonly name: "datagram_recovered"; readonly sequence: number; readonly slices: number }
  | ({ readonly name: "report_sent" } & ReportFigures)
  /** Reassembly is done with it. Times are of the server's clock, in milliseconds. */
  | ({
      readonly name: "frame_released";
      readonly units: number;
      readonly unitsReceived: number;
      readonly slicesReceived: number;
      readonly slicesRecovered: number;
      readonly bytes: number;
      readonly firstArrivalMs: number;
      readonly lastArrivalMs: number;
      /** The capture, if the network had taken no time: the earliest estimate. */
      readonly capturedMs: number;
      /** From then on its result leaves too late. */
      readonly expiresAtMs: number;
      readonly rttMs: number;
    } & FrameName)
  /** Its turn has come: decoding begins. */
  | ({ readonly name: "tensor_decoded"; readonly decodeMs: number; readonly concealMs: number } & FrameName)
  | ({
      readonly name: "tensor_concealed";
      readonly elements: number;
      readonly concealedElements: number;
    } & FrameName)
  /** The network has run, and took so long. */
  | ({ readonly name: "tensor_inferred"; readonly inferenceMs: number } & FrameName)
  | ({
      readonly name: "frame_answered";
      readonly outcome: ServerOutcome;
      readonly code: number;
      readonly elements: number;
      readonly concealedElements: number;
    } & FrameName);

/** What a session tells about its work. */
export type SessionEvent = CommonEvent | ClientSessionEvent | ServerSessionEvent;

/** Is told as it happens, and must not call back into the session. */
export type SessionObserver = (event: SessionEvent) => void;

export function describeStream(options: TensorStreamOptions): StreamTerms {
  const { model, split, codec, mode, fec, concealment, deadlineMs } = options;
  return { model, split, codec, mode, fec, concealment, deadlineMs };
}

export function describeReport(report: sluice.v1.Feedback.$Properties): ReportFigures {
  return {
    nextSequence: report.nextSequence ?? 0,
    datagramsReceived: Number(report.datagramsReceived ?? 0),
    lost: report.lost ?? 0,
    ...{ lossRuns: report.lossRuns ?? 0, queuedFrames: report.queuedFrames ?? 0 },
  };
}
