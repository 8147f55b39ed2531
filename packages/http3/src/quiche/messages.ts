import type { CloseInfo, ConnectError, TransportStats } from "@sluice/transport";
import type { AdmissionLimits } from "../admission/admission.js";
import type { RefusalCounts } from "../admission/refusals.js";
import type { QuicOptions } from "./config.js";
import type { DatagramPack } from "./datagram-pack.js";

/**
 * What the main thread tells the worker, and the other way round, always in arrays: one message for each
 * turn of the event loop. Sessions are named by numbers that the asking side chooses (positive ones by the
 * main thread for `connect`, negative ones by the worker for `request`), streams by their QUIC id if the peer opened them and by negative
 * numbers if we did.
 */
export type ToWorker =
  | ConnectMessage
  | ListenMessage
  | { readonly type: "close-server"; readonly server: number; readonly code: number; readonly reason: string }
  | { readonly type: "census"; readonly id: number }
  | { readonly type: "certificate"; readonly server: number; readonly cert: string; readonly key: string }
  | { readonly type: "answer"; readonly session: number; readonly status: number }
  | { readonly type: "close"; readonly session: number; readonly code: number; readonly reason: string }
  | { readonly type: "ignore"; readonly session: number; readonly ms: number }
  | { readonly type: "datagrams"; readonly session: number; readonly pack: DatagramPack }
  | ({ readonly type: "open"; readonly isBidirectional: boolean } & StreamName)
  /** The bytes belong to whoever gets the message. */
  | ({ readonly type: "write"; readonly bytes: Uint8Array; readonly fin: boolean } & StreamName)
  | ({ readonly type: "grant"; readonly bytes: number } & StreamName)
  | ({ readonly type: "reset" | "stop"; readonly code: number } & StreamName);

export type ToMain =
  /** The native code is loaded. */
  | { readonly type: "ready" }
  | { readonly type: "census"; readonly id: number; readonly census: WorkerCensus }
  | ({ readonly type: "connected"; readonly session: number } & SessionFacts)
  | {
      readonly type: "connect-failed";
      readonly session: number;
      readonly kind: ConnectError["kind"];
      readonly message: string;
    }
  | { readonly type: "listening"; readonly server: number; readonly port: number }
  | { readonly type: "listen-failed"; readonly server: number; readonly message: string }
  | { readonly type: "server-closed"; readonly server: number }
  | ({ readonly type: "server-figures"; readonly server: number } & ServerFigures)
  | ({ readonly type: "request"; readonly server: number; readonly session: number } & RequestFacts)
  | ({ readonly type: "accepted"; readonly session: number } & SessionFacts)
  | { readonly type: "datagrams"; readonly session: number; readonly pack: DatagramPack }
  | ({ readonly type: "stream"; readonly isBidirectional: boolean } & StreamName)
  | ({ readonly type: "opened" } & StreamName)
  | ({ readonly type: "data"; readonly bytes: Uint8Array; readonly fin: boolean } & StreamName)
  | ({ readonly type: "credit"; readonly bytes: number } & StreamName)
  | ({ readonly type: "finished" } & StreamName)
  | ({ readonly type: "reset" | "stopped"; readonly code: number } & StreamName)
  | {
      readonly type: "path";
      readonly session: number;
      readonly maxDatagramBytes: number;
      readonly stats: TransportStats;
    }
  | { readonly type: "closed"; readonly session: number; readonly info: CloseInfo }
  /** Its last packet has left; the worker has forgotten it. */
  | { readonly type: "gone"; readonly session: number }
  | {
      readonly type: "log";
      readonly server: number;
      readonly level: LogLevel;
      readonly message: string;
      readonly fields: Readonly<Record<string, unknown>>;
    };

/** What a worker holds, to be compared before and after: counts of its tables, and bytes of its heap. */
export interface WorkerCensus {
  readonly connections: number;
  /** Connection ids that packets are sorted by. */
  readonly connectionIds: number;
  readonly sessions: number;
  readonly timers: number;
  readonly heapUsedBytes: number;
  readonly arrayBufferBytes: number;
}

export type LogLevel = "debug" | "info" | "warn" | "error";

export interface StreamName {
  readonly session: number;
  readonly stream: number;
}

/** What the main thread must know of an open session to answer at once. */
export interface SessionFacts {
  readonly maxDatagramBytes: number;
  /** What goes in front of every datagram. */
  readonly datagramPrefix: Uint8Array;
  /** Shared: one number, how many datagrams have left the worker's queue; it wraps round. */
  readonly datagramsTaken: Int32Array;
}

/** How a server in the worker stands. */
export interface ServerFigures {
  readonly connections: number;
  /** Of which are shaking hands. */
  readonly handshakes: number;
  /** Retry packets since the last report. */
  readonly retries: number;
  /** Since the last report. */
  readonly refused: RefusalCounts;
  /** Since the last report. */
  readonly dropped: { readonly packets: number; readonly datagrams: number; readonly ignored: number };
}

export interface RequestFacts {
  readonly path: string;
  readonly authority: string;
  readonly headers: readonly (readonly [name: string, value: string])[];
  readonly remoteAddress: string;
}

export interface ConnectMessage {
  readonly type: "connect";
  readonly session: number;
  /** Literal address. */
  readonly host: string;
  readonly port: number;
  /** Name for the server to choose its certificate by; `undefined` for an address. */
  readonly serverName: string | undefined;
  readonly authority: string;
  readonly path: string;
  readonly headers: readonly (readonly [name: string, value: string])[];
  readonly trust: Trust;
  readonly timeoutMs: number;
  readonly quic: QuicOptions;
}

/** How the server's certificate is judged. */
export type Trust =
  /** By roots in PEM, those of the platform if `isDefault`, and the host name or address that it must name. */
  | { readonly type: "roots"; readonly ca: string; readonly isDefault?: true; readonly host: string }
  /** By the SHA-256 of its DER in lower-case hexadecimal, which is one of these. */
  | { readonly type: "hash"; readonly certificateHashes: readonly string[] }
  | { readonly type: "none" };

export interface ListenMessage {
  readonly type: "listen";
  readonly server: number;
  /** Literal address. */
  readonly host: string;
  readonly port: number;
  readonly cert: string;
  readonly key: string;
  readonly admission: AdmissionLimits;
  readonly handshakeTimeoutMs: number;
  readonly quic: QuicOptions;
}

/** Places in the numbers that both threads share, which wrap round. */
export const SHARED = {
  /** Counted up by a worker that lives. */
  BEATS: 0,
  /** Batches of messages that the main thread has handled. */
  BATCHES_TAKEN: 1,
  /** Batches of messages that the main thread has posted; it notifies of each. */
  BATCHES_POSTED: 2,
  COUNT: 3,
} as const;

/** Bytes that one stream may have on their way between the threads, in each direction. */
export const STREAM_WINDOW_BYTES = 1 << 20;
/** Datagrams of one session that may wait to be sent, in both threads together. */
export const MAX_QUEUED_DATAGRAMS = 512;
