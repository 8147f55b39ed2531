/**
 * What a session tells about its work while it does it, for whoever writes it down: `@sluice/tracing` makes traces of
 * frames and qlog files of it. Nothing of the session depends on it, and nothing is made where nobody listens. What a client
 * tells is handed over as it is, for pages load what would describe it; the README of that package lists what is written.
 */
import type { sluice } from "@sluice/proto";
import type { ClientEvent, PathEstimate } from "./client-event.js";
import type { ControlMessage } from "./control-message.js";
import type { DropReason, LedgerFrame } from "./frame-ledger.js";
import type { SessionLimits } from "./limits.js";
import type { ReceivedFrame, SliceReceipt } from "./reassembly.js";
import type { OutgoingFrame, OutgoingSlice } from "./send-buffer.js";
import type { TensorStreamOptions } from "./tensor-stream.js";

/** A frame of the session, by the alias of its stream and its number. */
export interface FrameName {
  readonly stream: number;
  readonly frame: number;
}

/** A slice or a repair symbol that has left in the datagram `sequence`. */
interface SliceSent {
  readonly name: "slice_sent";
  readonly of: OutgoingFrame;
  readonly slice: OutgoingSlice;
  readonly sequence: number;
  /** It has left before; says nothing of repair symbols. */
  readonly isRepeat: boolean;
}

/** What a client tells. */
type ClientSessionEvent =
  | { readonly name: "stream_closed"; readonly stream: number }
  | { readonly name: "frame_dropped"; readonly stream: number; readonly reason: DropReason }
  | { readonly name: "frame_admitted"; readonly entry: LedgerFrame }
  /** How long the client's half of the model took, and the encoder. */
  | ({
      readonly name: "tensor_encoded";
      readonly produceMs: number;
      readonly encodeMs: number;
      readonly slices: readonly OutgoingSlice[];
    } & FrameName)
  | SliceSent
  /** New limits or a report, and what is known of the path then. */
  | {
      readonly name: "message";
      readonly message: Extract<ControlMessage, { kind: "limits" | "feedback" }>;
      readonly path: Omit<PathEstimate, "silentMs">;
    }
  /** What the application is told as well. */
  | { readonly name: "event"; readonly event: ClientEvent };

/** How a frame ended at the server. */
export type ServerOutcome = "done" | "expired" | "undecodable" | "failed";

/** A slice that came; `bytes` of its payload. */
interface SliceThatCame extends FrameName {
  readonly index: number;
  readonly count: number;
  readonly bytes: number;
  /** Number of the datagram. */
  readonly sequence: number;
}

/** What a server tells. */
type ServerSessionEvent =
  | { readonly name: "limits_updated"; readonly limits: SessionLimits }
  | { readonly name: "stream_closed"; readonly stream: number }
  /** `agent`: what the client calls itself. */
  | { readonly name: "session_opened"; readonly agent: string; readonly capabilities: readonly string[] }
  | { readonly name: "session_closed"; readonly code: number; readonly reason: string }
  /** `model` and `concealment` as the server has chosen them. */
  | ({ readonly name: "stream_opened"; readonly stream: number } & TensorStreamOptions)
  | {
      readonly name: "stream_rejected";
      readonly stream: number;
      readonly code: number;
      readonly reason: string;
    }
  /** `sequence` is not there where it came on a QUIC stream or out of repair symbols. */
  | ({ readonly name: "slice_received"; readonly isRecovered: boolean } & Omit<SliceThatCame, "sequence"> & {
        readonly sequence?: number;
      })
  | ({
      readonly name: "slice_refused";
      readonly receipt: Exclude<SliceReceipt, "taken">;
    } & FrameName)
  | ({ readonly name: "repair_received" } & SliceThatCame)
  | { readonly name: "datagram_recovered"; readonly sequence: number; readonly slices: number }
  | { readonly name: "report_sent"; readonly report: sluice.v1.Feedback.$Properties }
  /** Reassembly is done with it. Times are of the server's clock, in milliseconds. */
  | ({
      readonly name: "frame_released";
      readonly slicesReceived: number;
      readonly bytes: number;
      readonly rttMs: number;
    } & Omit<ReceivedFrame, "slices">)
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
export type SessionEvent = ClientSessionEvent | ServerSessionEvent;

/** Is told as it happens, and must not call back into the session. */
export type SessionObserver = (event: SessionEvent) => void;
