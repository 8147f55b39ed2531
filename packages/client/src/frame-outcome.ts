import type { DropReason, ExpiryReason } from "@sluice/protocol";

/** How a frame ended: every frame that is offered ends in exactly one of these. */
export type FrameOutcome = DroppedFrame | ExpiredFrame | DeliveredFrame;

/** The gate turned the frame away before any work was done on it. */
export interface DroppedFrame {
  readonly status: "dropped";
  readonly reason: DropReason;
}

/** The frame was admitted, but no result came while it was useful. */
export interface ExpiredFrame {
  readonly status: "expired";
  readonly reason: ExpiryReason;
}

/** Where the time went, in milliseconds. */
export interface FrameTimings {
  /** The client's half of the model. */
  readonly produce: number;
  readonly encode: number;
  /** From the first slice's arrival at the server to the last one's. */
  readonly reassembly: number;
  readonly decode: number;
  readonly conceal: number;
  /** Waiting at the server for the model. */
  readonly queue: number;
  readonly inference: number;
  /** What is left of the latency: the network both ways, and queues in it. */
  readonly network: number;
}

export interface DeliveredFrame {
  readonly status: "delivered";
  readonly frame: number;
  /** Whether the result came within the deadline. */
  readonly onTime: boolean;
  /** From the capture to the result, in milliseconds. */
  readonly latencyMs: number;
  /** Payload bytes of its slices as they were first sent; 0 where nothing was. */
  readonly bytes: number;
  /** What the model answered: `{ frameNumber, inferenceTime, predictions: [{ name, description, score }] }` of a classifier. */
  readonly answer: unknown;
  /** Share of the tensor's elements that did not arrive and were concealed, 0 to 1. */
  readonly concealedFraction: number;
  readonly slicesReceived: number;
  /** Slices that were lost and that forward error correction has brought back. */
  readonly slicesRecovered: number;
  readonly timings: FrameTimings;
  /** Of `timings.network`: how long its first slice waited in this client's send buffer, in milliseconds; 0 on streams. */
  readonly sendQueueMs: number;
}
