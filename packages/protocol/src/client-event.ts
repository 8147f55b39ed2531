/** What a client's session tells its application, and what it knows of the path. */
import type { sluice } from "@sluice/proto";
import type { ExpiryReason, LedgerFrame } from "./frame-ledger.js";
import type { SessionLimits } from "./limits.js";
import type { ResultFormat, TensorStreamOptions } from "./tensor-stream.js";

/** What a server has said about a stream that it serves. */
export interface StreamAcceptance {
  /** The method that it conceals with. */
  readonly concealment: string;
  /** How the payloads of the results are written. */
  readonly resultFormat: ResultFormat;
  /** The model, with its version where the server says it. */
  readonly model: string;
}

/** What happened, for the application. */
export type ClientEvent =
  | {
      readonly type: "open";
      readonly limits: SessionLimits;
      readonly agent: string;
      /** What both sides can do. */
      readonly capabilities: readonly string[];
    }
  | ({
      readonly type: "stream-accepted";
      readonly stream: number;
      /** As it was asked for. */
      readonly options: TensorStreamOptions;
    } & StreamAcceptance)
  | {
      readonly type: "stream-rejected";
      readonly stream: number;
      readonly code: number;
      readonly reason: string;
    }
  | {
      readonly type: "delivered";
      readonly frame: LedgerFrame;
      readonly result: sluice.v1.Result;
      readonly latencyMs: number;
      readonly onTime: boolean;
    }
  | {
      readonly type: "expired";
      readonly frame: LedgerFrame;
      readonly reason: ExpiryReason;
      /** Where the server has answered. */
      readonly result: sluice.v1.Result | undefined;
    }
  /** Nothing was heard of the server for `silenceMs`, or it is heard again: the session goes on until `peerSilenceMs`. */
  | { readonly type: "silence"; readonly isSilent: boolean }
  /** The server takes nothing new; after `timeoutMs` it closes, 0 where it does not say. */
  | { readonly type: "drain"; readonly code: number; readonly reason: string; readonly timeoutMs: number }
  | { readonly type: "closed"; readonly code: number; readonly reason: string };

/** What is known of the path at one moment. Estimates are `undefined` until something was measured. */
export interface PathEstimate {
  /** Smoothed but for a few pings that were held up, and the smallest of the last seconds, in milliseconds. */
  readonly rttMs: number | undefined;
  readonly minRttMs: number | undefined;
  /** What the bottleneck carries, no more than what bounds it (spec 5.6), and what this session takes of it at most. */
  readonly bandwidthBitsPerSecond: number | undefined;
  readonly rateBitsPerSecond: number | undefined;
  /** How long ago the bandwidth was measured, in milliseconds; Infinity: never. */
  readonly bandwidthAgeMs: number;
  /** The queue that datagrams have to expect on their way, in milliseconds. */
  readonly queueMs: number;
  /** Share of the datagrams lost lately, 0 to 1. */
  readonly lossShare: number;
  /** Nothing that was sent lately has been answered (spec 3.4). */
  readonly isDark: boolean;
  /** How long nothing was heard of the server, in milliseconds: pings make it a quarter of a second at most. */
  readonly silentMs: number;
}
