/** What the server's part of the demo tells the page's part, as JSON. */
import type { Preprocess, TensorInfo } from "@sluice/inference/web";

export interface CutSummary {
  readonly name: string;
  readonly shape: readonly number[];
  /** Uncompressed. */
  readonly bytes: number;
  /** Multiply-adds before it over all of them, 0 to 1. */
  readonly workShare: number;
}

export interface ModelSummary {
  readonly name: string;
  readonly labels: readonly string[];
  readonly defaultCut: string;
  readonly input: TensorInfo;
  /** How pixels become the input. */
  readonly preprocess: Preprocess;
  readonly cuts: readonly CutSummary[];
}

export interface ClipImages {
  readonly width: number;
  readonly height: number;
  /** Grey pixels in base64, row by row, and the index of the class. */
  readonly images: readonly { readonly pixels: string; readonly label: number }[];
}

/** Beside the page's address: where sessions go. */
export interface ServerSummary {
  readonly certificateHashes: readonly string[];
  /** Host for UDP; the port is the path's. */
  readonly host: string;
}
