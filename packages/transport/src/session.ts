/**
 * One WebTransport session, whatever carries it: QUIC in a worker, a browser, a pair in memory.
 *
 * An engine implements {@link Session}; the drivers in `client` and `server` use nothing else of it.
 * Callbacks are set once, right after the session is handed over; until then an engine holds what arrives
 * in bounded queues.
 */

/** What became of a datagram that was handed to {@link Session.sendDatagram}. */
export type DatagramOutcome =
  /** Handed to the engine. It may still be lost on the way. */
  | "sent"
  /** The engine's bounded send queue is full. Nothing was sent. */
  | "queue-full"
  /** Larger than {@link Session.maxDatagramBytes}. Nothing was sent. */
  | "too-big"
  /** The session is closed. */
  | "closed";

/** How a session ended: the application's code and reason, and which side closed it. */
export interface CloseInfo {
  /** Application error code, 0 to 2^32 - 1. */
  readonly code: number;
  /** UTF-8 text of at most 1,024 bytes, for people. */
  readonly reason: string;
  /** `local`: our own `close`; `remote`: the peer's; `transport`: the connection broke or timed out. */
  readonly by: "local" | "remote" | "transport";
}

/** The sending half of a stream. */
export interface SendStream {
  /**
   * Queues bytes. Resolves when the stream can take more (back-pressure: await it before the next write).
   * Rejects with {@link StreamError} after a stop by the peer, a reset, or the end of the session.
   * The bytes belong to the stream until the promise settles.
   */
  write(data: Uint8Array): Promise<void>;
  /**
   * As {@link SendStream.write} for bytes that the caller never looks at again: their memory goes along instead of being
   * copied, and `data` may be empty afterwards. Absent where the transport copies all the same.
   */
  give?(data: Uint8Array<ArrayBuffer>): Promise<void>;
  /** Ends the stream after what was written; resolves when the end was handed to the transport. */
  finish(): Promise<void>;
  /** Abandons the stream: what was not sent yet is dropped, and the peer sees `code`. */
  reset(code: number): void;
}

/** The receiving half of a stream. */
export interface ReceiveStream {
  /**
   * The next bytes in order, or `undefined` after the end. One read at a time.
   * Rejects with {@link StreamError} after a reset by the peer or the end of the session.
   */
  read(): Promise<Uint8Array | undefined>;
  /**
   * Gives back the memory of what was read, which is empty afterwards: nobody looks at it again. A reader need not;
   * where tensors are large it saves most of the collector's work. Absent where that does not help.
   */
  release?(read: readonly Uint8Array[]): void;
  /** Asks the peer to stop sending; what was not read yet is dropped. */
  stop(code: number): void;
}

/** Both halves of a stream. */
export interface BidirectionalStream {
  readonly send: SendStream;
  readonly receive: ReceiveStream;
}

/** Why a read or a write on a stream failed. */
export class StreamError extends Error {
  override readonly name = "StreamError";
  constructor(
    /** `reset`: the sender abandoned it; `stopped`: the receiver did; `closed`: the session ended. */
    readonly kind: "reset" | "stopped" | "closed",
    /** The peer's application error code; 0 where there is none. */
    readonly code: number,
  ) {
    super(`stream ${kind} with code ${code}`);
  }
}

/** Why a session could not be opened. Each kind has its own remedy, so each has its own name. */
export class ConnectError extends Error {
  override readonly name = "ConnectError";
  constructor(
    readonly kind: "refused" | "timeout" | "certificate" | "rejected" | "bad-url" | "engine",
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}

/** What the engine knows about the path; `undefined` where it cannot know. */
export interface TransportStats {
  /** Smoothed round-trip time in milliseconds. */
  readonly rttMs: number | undefined;
  /** Congestion window in bytes. */
  readonly congestionWindowBytes: number | undefined;
  /** Delivery rate in bits per second, as the congestion controller sees it. */
  readonly deliveryRateBitsPerSecond: number | undefined;
  /** QUIC packets sent and lost since the start. */
  readonly packetsSent: number | undefined;
  readonly packetsLost: number | undefined;
  /** UDP payload bytes sent and received since the start, every header included. */
  readonly bytesSent: number | undefined;
  readonly bytesReceived: number | undefined;
  /** Datagrams waiting in the engine to be sent. */
  readonly datagramsQueued: number | undefined;
  /** Datagrams given up by the engine before they were sent, and on receipt because nobody took them. */
  readonly datagramsDroppedOutgoing: number | undefined;
  readonly datagramsDroppedIncoming: number | undefined;
}

/** See the head of this file. */
export interface Session {
  /**
   * The largest datagram that can be sent now, in bytes; 0 where the session has no datagrams. It changes in both
   * directions: it grows as the path is measured, and shrinks where the path does.
   */
  readonly maxDatagramBytes: number;
  /**
   * Called with the new {@link maxDatagramBytes} after it has changed. An engine that is not told of changes (quinn, a
   * browser's) looks when it is asked for the number and when a datagram is sent.
   */
  onMaxDatagramBytes(handler: (bytes: number) => void): void;
  /** Sends one datagram or says why not. Never blocks, never queues without bound. The bytes are copied or sent before it returns. */
  sendDatagram(data: Uint8Array): DatagramOutcome;
  openBidirectional(): Promise<BidirectionalStream>;
  openUnidirectional(): Promise<SendStream>;
  /** Called with every batch of datagrams that arrived together. The arrays belong to the callee. */
  onDatagrams(handler: (batch: readonly Uint8Array[]) => void): void;
  /** Called with every bidirectional stream that the peer opens. */
  onBidirectional(handler: (stream: BidirectionalStream) => void): void;
  /** Called with every unidirectional stream that the peer opens. */
  onUnidirectional(handler: (stream: ReceiveStream) => void): void;
  /**
   * Closes the session. Streams end with {@link StreamError} `closed`, except that a stream whose end had
   * arrived already can be read to that end. Idempotent.
   */
  close(code?: number, reason?: string): void;
  /** Settles once, never rejects. */
  readonly closed: Promise<CloseInfo>;
  /** The latest figures that the engine has; cheap, may be some milliseconds old. */
  stats(): TransportStats;
  /**
   * Loses nearly all that the peer sends in the next `ms` milliseconds, at most 30,000, before any work is done on it, as a
   * link without room would. A packet now and then passes, so that the session lives; what is reliable comes later. Absent where
   * the engine can only read everything.
   */
  ignorePeer?(ms: number): void;
}

/** What a client asked for when it opened a session; given to {@link ServerOptions.authorize}. */
export interface SessionRequest {
  /** Path and query of the URL. */
  readonly path: string;
  /** Host and port as the client named them. */
  readonly authority: string;
  readonly headers: ReadonlyMap<string, string>;
  /** The peer's address, `host:port`. */
  readonly remoteAddress: string;
}

/** A listening server of any engine. */
export interface TransportServer {
  /** Where it listens, as `https://host:port`. */
  readonly url: string;
  /** SHA-256 of the DER certificate, lower-case hexadecimal; `undefined` where there is none. */
  readonly certificateHash: string | undefined;
  /** Called with every accepted session and the request that opened it. */
  onSession(handler: (session: Session, request: SessionRequest) => void): void;
  /** Stops accepting, closes what is open with `code`, frees the port. */
  close(code?: number, reason?: string): Promise<void>;
}
