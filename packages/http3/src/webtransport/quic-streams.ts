/** Why a stream took or gave nothing; the negative results of {@link QuicStreams}. */
export const STREAM = {
  /** Nothing now: flow control, congestion, or nothing has come. Try again later. */
  BLOCKED: -1,
  /** The peer allows no more streams of this kind now. */
  LIMITED: -2,
  /** The other side ended it: `errorCode` has its HTTP/3 error code. */
  ENDED: -3,
  /** The engine does not know the stream (any more). */
  GONE: -4,
} as const;

/** What this layer needs of a QUIC connection. Never throws. */
export interface QuicStreams {
  /** Sends what fits; returns the bytes taken or a negative {@link STREAM} result. */
  send(streamId: number, data: Uint8Array, fin: boolean): number;
  /** Bytes that a stream of ours takes now; `undefined` where it cannot send. */
  capacity(streamId: number): number | undefined;
  /** What a stream of ours sends goes before what others send. */
  sendFirst(streamId: number): void;
  /** Reads into `buffer`; returns the bytes read or a negative {@link STREAM} result. Sets `fin`. */
  receive(streamId: number, buffer: Uint8Array): number;
  /** Whether the last successful `receive` reached the end of the stream. */
  readonly fin: boolean;
  /** The peer's code after {@link STREAM.ENDED}. */
  readonly errorCode: number;
  /** ENDED or GONE where the peer has stopped a stream that we send on, else 0. */
  checkStopped(streamId: number): number;
  resetSend(streamId: number, h3Code: number): void;
  stopReceive(streamId: number, h3Code: number): void;
  /** Streams that have something to read. */
  readable(): Iterable<number>;
  /** Reads one datagram; returns its length or -1. */
  receiveDatagram(buffer: Uint8Array): number;
  /** `false` where the engine's queue is full. What can never be sent is dropped. */
  sendDatagram(data: Uint8Array): boolean;
}
