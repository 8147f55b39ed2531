/** Between the page and the worker that streams. */
import type { ConnectionState, FrameTimings } from "@sluice/client";
import type { BrowserTransport } from "@sluice/client/browser";
import type { ModelSummary } from "../model-summary.js";
import type { Settings } from "./settings.js";

export type ToWorker =
  | { readonly type: "start"; readonly page: string; readonly model: string; readonly settings: Settings }
  | { readonly type: "settings"; readonly settings: Settings }
  /** The latest picture of a camera or a drawing: [height, width, channels], red first. */
  | { readonly type: "pixels"; readonly pixels: Uint8Array<ArrayBuffer> };

export interface ShownPrediction {
  readonly name: string;
  /** 0 to 1. */
  readonly score: number;
}

/** How a frame ended. */
export interface FrameEnd {
  readonly atMs: number;
  readonly status: "delivered" | "dropped" | "expired";
  readonly reason: string;
  readonly onTime: boolean;
  readonly latencyMs: number;
  readonly timings: FrameTimings | undefined;
  readonly concealedFraction: number;
  readonly slicesRecovered: number;
  readonly predictions: readonly ShownPrediction[];
  /** Whether the first prediction is right; `undefined` where that is not known. */
  readonly isRight: boolean | undefined;
  /** Where the network ran. */
  readonly candidate: string;
}

/** Counts since the start, and estimates. */
export interface StreamFigures {
  readonly offered: number;
  readonly bytesSent: number;
  readonly admitted: number;
  readonly bandwidthBitsPerSecond: number | undefined;
  readonly rttMs: number | undefined;
  readonly lossShare: number;
  readonly slicesRepeated: number;
  readonly repairsSent: number;
  /** What the simulated network did to packets, both ways. */
  readonly packets: number;
  readonly packetsLost: number;
}

/** A tensor in a byte an element, all with the same scale. */
export interface TensorView {
  readonly shape: readonly number[];
  readonly sent: Uint8Array<ArrayBuffer>;
  /** As the server used it: what was missing is concealed. */
  readonly used: Uint8Array<ArrayBuffer>;
  /** 1 where an element did not arrive. */
  readonly missing: Uint8Array<ArrayBuffer>;
}

export type FromWorker =
  | {
      readonly type: "model";
      readonly model: ModelSummary;
      readonly models: readonly string[];
      readonly hasClip: boolean;
    }
  | { readonly type: "connection"; readonly state: ConnectionState }
  | { readonly type: "transport"; readonly transport: BrowserTransport }
  /** What computes the client's part. */
  | { readonly type: "engine"; readonly provider: string }
  | {
      readonly type: "stream";
      readonly codec: string;
      readonly mode: string;
      readonly shape: readonly number[];
    }
  | {
      readonly type: "picture";
      readonly pixels: Uint8Array<ArrayBuffer>;
      readonly width: number;
      readonly height: number;
    }
  | { readonly type: "frame"; readonly end: FrameEnd }
  | { readonly type: "figures"; readonly figures: StreamFigures }
  | { readonly type: "view"; readonly view: TensorView }
  | { readonly type: "switch"; readonly candidate: string; readonly reason: string }
  /** Something cannot be done as it is set; the stream before goes on, or none. */
  | { readonly type: "problem"; readonly message: string };
