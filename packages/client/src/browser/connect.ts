/** Opens sessions in a browser: over its WebTransport, else over a WebSocket. */
import { type Clock, ConnectError, createSystemClock, type Session } from "@sluice/transport/core";
import type { BrowserHost } from "./browser-host.js";
import { openWebTransport } from "./open-web-transport.js";

/** How to open a session; see `connect`. */
export interface BrowserConnectOptions {
  /**
   * SHA-256 hashes of the server's certificate (DER) in hexadecimal, the present one's and the next one's: only they are
   * trusted then. Without any, the browser's roots decide. Browsers take such certificates for at most 14 days of validity.
   */
  readonly certificateHashes?: readonly string[];
  /** For the whole way to the open session, in milliseconds; WebTransport gets half of it where there is a fallback. Default 5,000. */
  readonly timeoutMs?: number;
  /**
   * Where a WebSocket goes when there is no WebTransport or its session does not open. Default: `wss://` of the same host,
   * port and path. false: there is no fallback. A WebSocket knows no certificate hashes: the browser has to trust the server's.
   */
  readonly fallback?: string | boolean;
  /** Told of what carries the session once it is open. */
  readonly onTransport?: (transport: BrowserTransport) => void;
  /** Gives up the attempt; an open session is not affected. */
  readonly signal?: AbortSignal;
  /** Default: the global object. */
  readonly host?: BrowserHost;
  readonly clock?: Clock;
}

/** What carries a session, and what is missed where that is not WebTransport. */
export type BrowserTransport =
  | { readonly name: "webtransport" }
  | { readonly name: "websocket"; readonly reason: string; readonly lost: readonly string[] };

/** What a session over a WebSocket cannot do (spec 2.6), for people. */
export const lostWithoutDatagrams: readonly string[] = [
  "A lost packet delays everything behind it: over a lossy network more results are late.",
  "Nothing is concealed and no repair symbols are sent: a tensor arrives whole, or not in time.",
];

const defaultTimeoutMs = 5_000;

/**
 * Opens a session at `url` (`https://host:port/path`) for `createClient` or, once for every attempt, for
 * `createReconnectingClient`. Works in pages and in workers.
 * @throws ConnectError; `certificate` and `bad-url` are not worth another attempt. What `signal` was aborted with.
 */
export async function connect(url: string, options: BrowserConnectOptions = {}): Promise<Session> {
  const host = options.host ?? (globalThis as unknown as BrowserHost);
  const clock = options.clock ?? createSystemClock(host);
  const {
    certificateHashes = [],
    timeoutMs = defaultTimeoutMs,
    fallback = true,
    signal,
    onTransport,
  } = options;
  if (!(timeoutMs > 0)) throw new RangeError(`timeoutMs must be above 0, got ${timeoutMs}`);
  const startMs = clock.now();
  try {
    const quicMs = fallback === false ? timeoutMs : timeoutMs / 2;
    const session = await openWebTransport(url, {
      host,
      clock,
      certificateHashes,
      timeoutMs: quicMs,
      signal,
    });
    onTransport?.({ name: "webtransport" });
    return session;
  } catch (error) {
    if (fallback === false || !isAboutThePath(error)) throw error;
    const webSocketUrl = typeof fallback === "string" ? fallback : url.replace(/^https:/, "wss:");
    const leftMs = Math.max(1, startMs + timeoutMs - clock.now());
    const session = await openWebSocket(webSocketUrl, host, clock, leftMs, error);
    if (signal?.aborted) {
      session.close(0, "aborted");
      signal.throwIfAborted();
    }
    onTransport?.({ name: "websocket", reason: error.message, lost: lostWithoutDatagrams });
    return session;
  }
}

/** Failures that another transport may not have. */
function isAboutThePath(error: unknown): error is ConnectError {
  return error instanceof ConnectError && error.kind !== "certificate" && error.kind !== "bad-url";
}

async function openWebSocket(
  url: string,
  host: BrowserHost,
  clock: Clock,
  timeoutMs: number,
  first: ConnectError,
): Promise<Session> {
  try {
    if (host.WebSocket === undefined) throw new ConnectError("engine", "WebSocket is missing here, too");
    // Most sessions never need it: it is loaded when one does.
    const { connectWebSocket, MUX_PROTOCOL } = await import("@sluice/transport/web-socket");
    return await connectWebSocket(new host.WebSocket(url, MUX_PROTOCOL), { clock, timeoutMs });
  } catch (second) {
    const reason = second instanceof Error ? second.message : String(second);
    const kind = second instanceof ConnectError ? second.kind : "refused";
    throw new ConnectError(kind, `${first.message}; and over a WebSocket at ${url}: ${reason}`, {
      cause: second,
    });
  }
}
