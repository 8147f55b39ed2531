/**
 * What `@fails-components/webtransport` 1.6.8 wants called in its own objects, which it hangs into those of its
 * HTTP/3 part as `jsobj` (its `lib/types.ts`, `session.js`, `stream.js`, `client.js`, `server.js`). What it calls
 * here are the methods of the classes beside this file.
 */

/** A half of a stream that ended out of order, or whose end is done. */
export type StreamTask = "resetStream" | "stopSending" | "streamFinal";

/** Memory to be filled with received bytes. Without `byob` all of it has to be. */
export interface ReadBuffer {
  readonly buffer?: Uint8Array;
  readonly byob?: object | undefined;
  readonly readBytes?: number;
  /** Nothing more is at hand. */
  readonly drained?: boolean;
  readonly fin: boolean;
}

/** The library's end of a stream. */
export interface StreamOwner {
  getReadBuffer(wanted: { readonly byteSize: number }): ReadBuffer;
  commitReadBuffer(filled: ReadBuffer): unknown;
  /** The peer gave up a half. */
  onStreamRecvSignal(signal: {
    readonly code: number;
    readonly nettask: "resetStream" | "stopSending";
  }): void;
  /** The write that was going on is over. */
  onStreamWrite(result: { readonly success: boolean }): void;
  /** What we were told to do is done. */
  onStreamNetworkFinish(result: { readonly nettask: StreamTask }): void;
  readonly readableController?: { readonly byobRequest: { respond(bytes: number): void } | null };
  readonly writableController?: { readonly signal: AbortSignal };
  /** Settles an `abort` that waits. */
  abortres?: (() => void) | null;
}

/** Counts what nobody has taken yet: `desiredSize` is negative then, `null` once the stream has failed. */
export interface Waiting {
  readonly desiredSize: number | null;
}

/** The library's end of a session. */
export interface SessionOwner {
  onReady(event: object): void;
  onClose(event: { readonly errorcode: number; readonly error: string }): void;
  onDatagramReceived(event: { readonly datagram: Uint8Array }): void;
  onSessionStats(stats: SessionStats): void;
  onDatagramStats(stats: DatagramStats): void;
  onStream(event: {
    readonly stream: object;
    readonly bidirectional: boolean;
    readonly incoming: boolean;
    readonly sendOrder: number;
    readonly sendGroupId: bigint;
  }): void;
  readonly incomBiDiController?: Waiting;
  readonly incomUniDiController?: Waiting;
  readonly incomDatagramController_?: Waiting | undefined;
  readonly incomDatagramControllerBytes_?: Waiting | undefined;
  closedResolve?(info: { readonly closeCode: number; readonly reason: string }): void;
}

/** Milliseconds and counts since the start of the session. */
export interface DatagramStats {
  readonly timestamp: number;
  readonly expiredOutgoing: number | undefined;
  readonly lostOutgoing: number | undefined;
}

/** Milliseconds, bits per second; what is not known is `undefined`, which the library shows as 0. */
export interface SessionStats extends DatagramStats {
  readonly minRtt: number | undefined;
  readonly smoothedRtt: number | undefined;
  readonly rttVariation: number | undefined;
  readonly estimatedSendRateBps: number | undefined;
}

/** What `createBidirectionalStream` and `createUnidirectionalStream` of the library hand down. */
export interface StreamOrder {
  readonly sendOrder?: number;
  readonly sendGroup?: { readonly _sendGroupId?: bigint } | null;
}

/** The library's client. */
export interface ClientOwner {
  onClientConnected(event: { readonly success: boolean }): void;
  onClientWebTransportSupport(event: object): void;
  onHttpWTSessionVisitor(event: { readonly session: object; readonly reliable: boolean }): void;
  onClientError(event: { readonly errorcode: number; readonly error: string }): void;
}

/** What the library gives its client: the options of its `WebTransport`, and the parts of the URL. */
export interface ClientArguments {
  readonly host: string;
  readonly port: number | string;
  readonly serverCertificateHashes?: readonly {
    readonly algorithm: string;
    readonly value: ArrayBuffer | ArrayBufferView;
  }[];
  /** Milliseconds. Default 8,000, as the library waits. */
  readonly quicConnectTimeout?: number;
  readonly localPort?: number;
}

/** Header fields of a request, the pseudo-header fields among them. */
export type RequestHeader = Readonly<Record<string, string>>;

/** The library's server. */
export interface ServerOwner {
  onServerListening(event: { readonly host: string; readonly port: number }): void;
  onServerError(error: Error): void;
  onServerClose(): void;
  onSessionRequest(event: {
    readonly header: RequestHeader;
    /** Comes back in the answer. */
    readonly promise: object;
    readonly session: object;
    readonly peerAddress: string;
    readonly protocol: "http3:libquiche";
  }): void;
  onHttpWTSessionVisitor(event: {
    readonly session: object;
    readonly path: string;
    readonly header: RequestHeader | undefined;
    readonly peerAddress: string;
    readonly userData: object | undefined;
  }): void;
}

/** What the library gives its server: the options of its `Http3Server`. */
export interface ServerArguments {
  readonly host?: string;
  readonly port?: number | string;
  readonly cert: string | readonly string[];
  readonly privKey: string | readonly string[];
  readonly maxConnections?: number;
}
