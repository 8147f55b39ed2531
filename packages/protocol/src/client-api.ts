/** What goes into and comes out of the client's side of a session. */
import type { ClientEvent, PathEstimate } from "./client-event.js";
import type { DropReason, LedgerCounts } from "./frame-ledger.js";
import type { SessionLimits } from "./limits.js";
import type { OutgoingFrame, OutgoingSlice } from "./send-buffer.js";
import type { SessionObserver } from "./session-event.js";
import type { TensorStreamOptions } from "./tensor-stream.js";

export interface ClientSessionOptions {
  /** Names the implementation in the server's log. */
  readonly agent: string;
  /** Bearer token; empty where the server asks for none. */
  readonly token?: Uint8Array;
  /** Names from the registry of what this side can do beyond the version; at most 64. */
  readonly capabilities?: readonly string[];
  /** Milliseconds without a sign of life after which it tells of a silence. Default 5,000. */
  readonly silenceMs?: number;
  /** Told of what the session does, as it does it. Default: nobody. */
  readonly observe?: SessionObserver | undefined;
}

export type OfferDecision =
  | {
      readonly admitted: true;
      readonly frame: number;
      /** Bytes that its slices may have together to be in time: what an encoder may spend. Infinity: not known yet. */
      readonly budgetBytes: number;
    }
  | { readonly admitted: false; readonly reason: DropReason };

/** A tensor for a unidirectional stream of its own. */
export interface StreamTensor {
  readonly stream: number;
  readonly frame: number;
  /** Nobody else's: they may be given away. */
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** When the stream is to be reset with the code `deadline`; Infinity in the mode `reliable`. */
  readonly resetAtMs: number;
}

export interface ClientFigures extends LedgerCounts {
  /** Frames admitted whose end is not known yet. */
  readonly inFlight: number;
  readonly rttMs: number | undefined;
  /** What the bottleneck carries, and what this session takes of it at most. */
  readonly bandwidthBitsPerSecond: number | undefined;
  readonly rateBitsPerSecond: number | undefined;
  readonly unreceivedBytes: number;
  /** Bytes of datagrams and tensor streams handed to the transport. */
  readonly bytesSent: number;
  /** Bytes of the slices of delivered frames. */
  readonly bytesDelivered: number;
  readonly datagramsSent: number;
  readonly datagramsLost: number;
  readonly lossRuns: number;
  /** Runs of i + 1 datagrams lost one after the other, at i; those of 64 and more are at 63. */
  readonly lossRunLengths: readonly number[];
  /** Share of the datagrams lost lately, 0 to 1, and the mean length of the runs that they formed. */
  readonly lossShare: number;
  readonly meanLossRun: number;
  /** Slices that were sent again (spec 5.9). */
  readonly slicesRepeated: number;
  /** Repair symbols that were sent (spec 5.8). */
  readonly repairsSent: number;
}

export interface ClientSession {
  handleControl(chunk: Uint8Array, nowMs: number): void;
  handleDatagram(datagram: Uint8Array, nowMs: number): void;
  /**
   * Bytes of a unidirectional stream of the server, named by any number.
   * @returns the code to stop it with, where nothing more of it is wanted; it is forgotten then
   */
  handleResultStream(id: number, chunk: Uint8Array, nowMs: number): number | undefined;
  /** Such a stream has ended with all its bytes, or else before that. */
  handleResultEnd(id: number, isWhole: boolean, nowMs: number): void;
  /** The transport has ended, by whatever side. Open frames expire. */
  handleClosed(code: number, reason: string): void;
  /** The control stream has ended, by FIN or by reset: so does the session. */
  handleControlEnd(): void;
  handleTimeout(nowMs: number): void;
  /** The largest datagram that the transport takes now; 0 where it has none. May change at any time. */
  setMaxDatagramBytes(bytes: number): void;
  /** The largest payload of a slice of this stream that fits a datagram now. */
  maxPayloadBytes(stream: number): number;

  /**
   * Opens a tensor stream and returns its alias; frames can be offered once it is accepted. What the announced limits
   * do not allow is rejected without asking, by the same event.
   * @throws RangeError where the session's aliases are used up
   */
  openStream(options: TensorStreamOptions): number;
  closeStream(stream: number): void;
  /** Asks the gate about a frame captured at `capturedMs`, before any work is done on it. */
  offer(stream: number, capturedMs: number, nowMs: number): OfferDecision;
  /** Hands over the slices of an admitted frame; false where the frame has ended meanwhile. */
  submit(
    stream: number,
    frame: number,
    slices: readonly OutgoingSlice[],
    split: OutgoingFrame["split"],
    nowMs: number,
  ): boolean;
  /** The number that the next admitted frame gets; `undefined` where there is no such stream. */
  nextFrame(stream: number): number | undefined;
  /** Gives up an admitted frame. */
  abandon(stream: number, frame: number): void;

  pollControl(): Uint8Array | undefined;
  /** The next datagram, at most `maxDatagramBytes` long. The bytes are valid until the next call. */
  pollDatagram(nowMs: number): Uint8Array | undefined;
  pollStream(): StreamTensor | undefined;
  pollEvent(): ClientEvent | undefined;
  nextTimeoutMs(): number;
  readonly state: "connecting" | "open" | "draining" | "closed";
  readonly limits: SessionLimits | undefined;
  /** What both sides can do; empty before the session is open. */
  readonly capabilities: readonly string[];
  readonly figures: ClientFigures;
  /** What is known of the path now. While somebody looks, pings come as often as if frames were sent. */
  pathEstimate(nowMs: number): PathEstimate;
}
