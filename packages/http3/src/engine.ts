import type { Session, SessionRequest, TransportServer } from "@sluice/transport";
import type { AdmissionLimits, RetryMode } from "./admission/admission.js";
import type { EngineStats } from "./engine-stats.js";
import type { LogLevel, Trust } from "./quiche/messages.js";
import type { QuicThreadName } from "./quiche/quic-thread.js";

/** A checked request to connect, its host resolved. */
export interface EngineConnectOptions {
  /** Literal address. */
  readonly address: string;
  readonly host: string;
  readonly port: number;
  readonly authority: string;
  readonly path: string;
  readonly headers: readonly (readonly [name: string, value: string])[];
  readonly trust: Trust;
  readonly timeoutMs: number;
  readonly idleTimeoutMs: number;
  readonly maxPacketBytes: number | undefined;
}

/** A checked request to listen. */
export interface EngineListenOptions extends AdmissionLimits {
  /** Literal address. */
  readonly address: string;
  readonly host: string;
  readonly port: number;
  readonly certificate: { readonly cert: string; readonly key: string };
  readonly certificateHash: string;
  readonly idleTimeoutMs: number;
  readonly handshakeTimeoutMs: number;
  readonly maxPacketBytes: number | undefined;
  /** The HTTP status that answers a request; 200 accepts. Never rejects, and settles in bounded time. */
  readonly decide: (request: SessionRequest) => number | Promise<number>;
  readonly log: Log;
  /** The engine hangs where it cannot be ended: see `ListenOptions.onStuck`. */
  readonly onStuck?: () => void;
}

export type Log = (level: LogLevel, message: string, fields: Readonly<Record<string, unknown>>) => void;

/** A server as an engine makes it. What an engine cannot do it leaves out. */
export interface EngineServer extends TransportServer {
  /** Gives new connections another certificate; open ones keep theirs. */
  setCertificate?(certificate: { readonly cert: string; readonly key: string }): void;
  stats?(): EngineStats;
}

/** An implementation of QUIC, HTTP/3 and WebTransport. */
export interface Engine {
  readonly name: string;
  /** Where it runs, if that can be chosen. */
  readonly thread?: QuicThreadName;
  /**
   * What it cannot do of what was asked for, each option with the reason: `impossible` is refused, `partial` as well
   * where `auto` has another engine. Absent: it can do everything.
   */
  readonly judgeListenOptions?: (wishes: ListenWishes) => OptionJudgement;
  /** Rejects with `ConnectError`. */
  connect(options: EngineConnectOptions): Promise<Session>;
  listen(options: EngineListenOptions): Promise<EngineServer>;
}

/** What a server was asked for that not every engine can do; absent: the engine's own default will do. */
export interface ListenWishes {
  readonly retry?: RetryMode;
  readonly maxConnectionsPerSource?: number;
  readonly newConnectionsPerSource?: unknown;
  readonly idleTimeoutMs?: number;
  readonly handshakeTimeoutMs?: number;
  readonly maxPacketBytes?: number;
  /** That pages are judged by their origin. */
  readonly origins?: unknown;
  /** That somebody decides by the request; what, is not looked at. */
  readonly authorize?: unknown;
}

export interface OptionJudgement {
  readonly impossible: readonly string[];
  readonly partial: readonly string[];
}
