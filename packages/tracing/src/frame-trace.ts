/** What became of one frame, as one end saw it: the record that is exported, written to files and shown. */

/**
 * Where the time of a frame goes, in the order of its way. `reassembly`, from the first slice's arrival to the last one's,
 * lies beside `send` and `network`; every other stage begins where the one before it ends.
 */
export const stages = [
  /** From the capture until it was offered. */
  "wait",
  /** The client's half of the model. */
  "client",
  "encode",
  /** In the send buffer, until the first slice leaves. */
  "send-queue",
  /** From the first slice to the last one, as the path takes them. */
  "send",
  /** From the last slice's departure until it has come; with what the client alone knows, until reassembly was done. */
  "network",
  "reassembly",
  /** Waiting for slices that did not come. */
  "release",
  /** Waiting at the server for the model, before decoding and behind it. */
  "queue",
  "decode",
  "conceal",
  "inference",
  /** Writing the answer. */
  "answer",
  /** The result's way back. */
  "result",
] as const;

export type Stage = (typeof stages)[number];

/** Stages that take time beside others: they do not add up with them. */
export const besideOthers: ReadonlySet<Stage> = new Set(["reassembly"]);

export interface TraceSpan {
  readonly stage: Stage;
  /** Milliseconds since 1970, by the clock of the end that knows it. */
  readonly startMs: number;
  readonly durationMs: number;
  /** At a client: the server's result says how long it took; when it was is reckoned from half a round trip. */
  readonly isReported?: true;
}

export type TraceSide = "client" | "server";

export interface FrameTrace {
  /** 32 hexadecimal digits, the same at both ends. */
  readonly traceId: string;
  readonly side: TraceSide;
  /** The session's name at both ends. */
  readonly session: string;
  /** Whether the name is the client's: then the client's trace of the frame is where the server's belongs. */
  readonly isNamedByClient: boolean;
  readonly stream: number;
  readonly frame: number;
  /** The capture, in milliseconds since 1970; at the server reckoned from half a round trip. */
  readonly startMs: number;
  /** Until its end is known at this end. */
  readonly durationMs: number;
  readonly deadlineMs: number;
  /** `delivered` at the client and `done` at the server are the good ones. */
  readonly outcome: "delivered" | "expired" | "done" | "undecodable" | "failed";
  /** Why, where it is none of the good ones; else empty. */
  readonly reason: string;
  /** No result within the deadline; at the server: none that could have been within it. */
  readonly isLate: boolean;
  readonly attributes: FrameAttributes;
  readonly spans: readonly TraceSpan[];
}

export interface FrameAttributes {
  readonly model: string;
  readonly split: string;
  readonly codec: string;
  readonly mode: string;
  readonly rttMs?: number;
  /** Payload bytes of its slices: of all at the client, of those that came at the server. */
  readonly bytes?: number;
  readonly slices?: number;
  readonly slicesSent?: number;
  /** Of these, sent again. */
  readonly slicesRepeated?: number;
  readonly repairsSent?: number;
  readonly slicesReceived?: number;
  /** Lost, and brought back by forward error correction. */
  readonly slicesRecovered?: number;
  /** Share of the elements that were concealed, 0 to 1. */
  readonly concealedFraction?: number;
}
