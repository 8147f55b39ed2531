import type { Session, SessionRequest, TransportServer } from "@sluice/transport";
import type { LogLevel, Trust } from "./quiche/messages.js";

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
  readonly maxPacketBytes: number;
}

/** A checked request to listen. */
export interface EngineListenOptions {
  /** Literal address. */
  readonly address: string;
  readonly host: string;
  readonly port: number;
  readonly certificate: { readonly cert: string; readonly key: string };
  readonly certificateHash: string;
  readonly retry: "always" | "never";
  readonly maxConnections: number;
  readonly idleTimeoutMs: number;
  readonly handshakeTimeoutMs: number;
  readonly maxPacketBytes: number;
  /** The HTTP status of the answer: 200 accepts. */
  readonly decide: (request: SessionRequest) => number | Promise<number>;
  readonly log: Log;
}

export type Log = (level: LogLevel, message: string, fields: Readonly<Record<string, unknown>>) => void;

/** An implementation of QUIC, HTTP/3 and WebTransport. */
export interface Engine {
  readonly name: string;
  /**
   * What it cannot do of what was asked for, each option with the reason: `impossible` is refused, `partial` as well
   * where `auto` has another engine. Absent: it can do everything.
   */
  readonly judgeListenOptions?: (wishes: ListenWishes) => OptionJudgement;
  /** Rejects with `ConnectError`. */
  connect(options: EngineConnectOptions): Promise<Session>;
  listen(options: EngineListenOptions): Promise<TransportServer>;
}

/** What a server was asked for that not every engine can do; absent: the engine's own default will do. */
export interface ListenWishes {
  readonly retry?: "always" | "never";
  readonly idleTimeoutMs?: number;
  readonly handshakeTimeoutMs?: number;
  readonly maxPacketBytes?: number;
  /** That somebody decides by the request; what, is not looked at. */
  readonly authorize?: unknown;
}

export interface OptionJudgement {
  readonly impossible: readonly string[];
  readonly partial: readonly string[];
}
