/** What goes into and comes out of the server's side of a session. */
import type { RepairReceipt } from "./fec/fec-receiver.js";
import type { SessionLimits } from "./limits.js";
import type { ResultUpload } from "./outgoing-results.js";
import type { ReceivedFrame, SliceReceipt } from "./reassembly.js";
import type { ServerOutcome, SessionObserver } from "./session-event.js";
import type { ResultFormat, TensorStreamOptions } from "./tensor-stream.js";

export interface ServerSessionOptions {
  readonly agent: string;
  readonly limits: SessionLimits;
  /** Whether the client with this token may come in. */
  readonly authorize?: (token: Uint8Array) => boolean;
  /** Names from the registry of what this side can do beyond the version. */
  readonly capabilities?: readonly string[];
  /** Told of what the session does, as it does it. Default: nobody. */
  readonly observe?: SessionObserver | undefined;
}

/** What happened, for the driver. */
export type ServerEvent =
  | { readonly type: "open"; readonly agent: string; readonly capabilities: readonly string[] }
  /** The driver answers with {@link ServerSession.acceptStream} or {@link ServerSession.rejectStream}. */
  | { readonly type: "stream-requested"; readonly stream: number; readonly options: TensorStreamOptions }
  | { readonly type: "stream-closed"; readonly stream: number }
  /** The driver answers with {@link ServerSession.answer}, once. */
  | { readonly type: "frame"; readonly frame: ReceivedFrame; readonly options: TensorStreamOptions }
  /**
   * A frame was shed by the limits of the session; it has been answered. For `unheardMs` from now the driver may lose nearly
   * all that the client sends: it takes no notice of its limits.
   */
  | { readonly type: "shed"; readonly code: number; readonly unheardMs: number }
  | { readonly type: "slice-refused"; readonly receipt: Exclude<SliceReceipt, "taken"> }
  /**
   * The stream of a result needs no more care: the client has it; or with a code, it is to be reset, or not even to be
   * opened where that is still to come.
   */
  | {
      readonly type: "result-ended";
      readonly stream: number;
      readonly frame: number;
      readonly resetCode: number | undefined;
    }
  | { readonly type: "closed"; readonly code: number; readonly reason: string };

/** The answer to a frame; times in milliseconds. */
export interface FrameAnswer {
  readonly outcome: ServerOutcome;
  /** From the registry where the outcome is not `done`. */
  readonly code?: number | undefined;
  readonly stages: {
    readonly decode: number;
    readonly conceal: number;
    readonly queue: number;
    readonly inference: number;
  };
  readonly concealedElements: number;
  readonly elements: number;
  readonly payload: Uint8Array;
}

/** Results on QUIC streams of their own. */
export interface UploadFigures {
  /** Handed to the driver, and the bytes of their streams. */
  readonly started: number;
  readonly bytes: number;
  /** Given up: too late on their way, not begun as they would have been, no room for more, not wanted by the client. */
  readonly expired: number;
  readonly late: number;
  readonly refused: number;
  readonly stopped: number;
}

export interface ServerFigures {
  readonly rttMs: number | undefined;
  /** Slices that came, and those that forward error correction brought back (spec 5.8). */
  readonly slicesReceived: number;
  readonly slicesRecovered: number;
  readonly datagramsRecovered: number;
  /** Repair symbols that came, by what became of them. */
  readonly repairs: Readonly<Record<RepairReceipt, number>>;
  readonly bytesReceived: number;
  readonly bytesSent: number;
  /** Frames of which a slice was taken. Each is handed over as `frame` or `shed`, held, or abandoned. */
  readonly framesBegun: number;
  /** Frames that were still held when their stream or their session ended: nobody is there to be answered. */
  readonly framesAbandoned: number;
  readonly framesInReassembly: number;
  readonly bytesInReassembly: number;
  readonly framesInFlight: number;
  readonly resultsRepeated: number;
  /** Results that the client has not acknowledged yet. */
  readonly resultsWaiting: number;
  readonly resultUploads: UploadFigures;
}

/** What the results of a stream will be like. */
export interface StreamAnswers {
  /** Default: as it was asked for. */
  readonly resultFormat?: ResultFormat;
  /** The model with its version, where that is not as it was asked for. */
  readonly model?: string;
}

export interface ServerSession {
  handleControl(chunk: Uint8Array, nowMs: number): void;
  handleDatagram(datagram: Uint8Array, nowMs: number): void;
  /** Bytes of a unidirectional stream of the client, named by any number; `undefined` is its end. */
  handleTensorStream(id: number, chunk: Uint8Array | undefined, nowMs: number): void;
  handleClosed(code: number, reason: string): void;
  /** The control stream has ended, by FIN or by reset: so does the session. */
  handleControlEnd(): void;
  handleTimeout(nowMs: number): void;
  setMaxDatagramBytes(bytes: number): void;

  acceptStream(stream: number, units: number, concealment: string, answers?: StreamAnswers): void;
  rejectStream(stream: number, code: number, reason: string): void;
  /** @returns what the client is told: an answer that cannot be sent becomes another one */
  answer(frame: ReceivedFrame, answer: FrameAnswer, nowMs: number): FrameAnswer;
  /** Announces limits that hold from now on. */
  setLimits(limits: SessionLimits): void;
  /**
   * Asks the client to send no new frames and closes with the code when what is in flight is answered and acknowledged,
   * or after `timeoutMs`; 0: however long that takes.
   */
  drain(code: number, reason: string, timeoutMs: number, nowMs: number): void;
  /** Ends the session with a code. */
  close(code: number, reason: string): void;

  pollControl(): Uint8Array | undefined;
  /** The next result for a unidirectional stream of its own; `result-ended` tells when its stream has ended. */
  pollResult(): ResultUpload | undefined;
  /** The client does not want the result on that stream, or the stream has failed. */
  resultStopped(stream: number, frame: number, nowMs: number): void;
  /** See `ClientSession.pollDatagram`. */
  pollDatagram(nowMs: number): Uint8Array | undefined;
  pollEvent(): ServerEvent | undefined;
  nextTimeoutMs(): number;
  /** For how long nothing was heard of the client, in milliseconds. */
  silentMs(nowMs: number): number;
  /** What both sides can do; empty before the session is open. */
  readonly capabilities: readonly string[];
  readonly state: "connecting" | "open" | "closed";
  readonly figures: ServerFigures;
}
