import { lookup } from "node:dns/promises";
import { rootCertificates } from "node:tls";
import { ConnectError, type Session } from "@sluice/transport";
import type { Engine, EngineConnectOptions, Log } from "./engine.js";
import { describeBadField } from "./h3/message.js";
import type { Trust } from "./quiche/messages.js";
import { type EngineName, selectEngine } from "./select-engine.js";
import { parseSessionUrl, type SessionUrl } from "./url.js";

/** How to open a session. */
export interface ConnectOptions {
  /** SHA-256 of the server's certificate (DER) in hexadecimal; it alone is trusted then, whoever signed it. */
  readonly certificateHash?: string;
  /** Takes any certificate. For experiments only: anybody on the path can read and change everything. */
  readonly insecure?: boolean;
  /** Trusted roots in PEM, instead of those of Node. */
  readonly ca?: string;
  /** For the whole way to the open session, in milliseconds. Default 5,000. */
  readonly timeoutMs?: number;
  /** A connection without a sign of life for so long ends, in milliseconds. Default 30,000. */
  readonly idleTimeoutMs?: number;
  /** Largest UDP payload to send in bytes, 1,200 to 16,384. Default 1,350; more only where the path is known to take it. */
  readonly maxPacketBytes?: number;
  /** Header fields of the request, as `authorization`. */
  readonly headers?: Readonly<Record<string, string>>;
  readonly engine?: EngineName;
  /**
   * Lets the engine `auto` open a WebSocket to the same host and port over TCP where no session over QUIC opens: a
   * network that blocks UDP. Such a session has no datagrams. QUIC gets half of `timeoutMs` then. Default false.
   */
  readonly fallback?: boolean;
  /** Is told what `auto` picked and why. */
  readonly log?: Log;
  /** Gives up the attempt; an open session is not affected. */
  readonly signal?: AbortSignal;
}

export const DEFAULT_TIMEOUT_MS = 5000;
export const DEFAULT_IDLE_TIMEOUT_MS = 30_000;
export const DEFAULT_MAX_PACKET_BYTES = 1350;

/** Opens a WebTransport session at `url` (`https://host:port/path`). Rejects with `ConnectError`. */
export async function connect(url: string, options: ConnectOptions = {}): Promise<Session> {
  const target = parseSessionUrl(url);
  const trust = parseTrust(target, options);
  const timeoutMs = checkRange("timeoutMs", options.timeoutMs ?? DEFAULT_TIMEOUT_MS, 1, 600_000);
  const idleTimeoutMs = checkRange(
    "idleTimeoutMs",
    options.idleTimeoutMs ?? DEFAULT_IDLE_TIMEOUT_MS,
    100,
    3_600_000,
  );
  const maxPacketBytes = checkRange(
    "maxPacketBytes",
    options.maxPacketBytes ?? DEFAULT_MAX_PACKET_BYTES,
    1200,
    16_384,
  );
  const headers = Object.entries(options.headers ?? {});
  for (const [name, value] of headers) {
    const bad = describeBadField(name.toLowerCase(), value);
    if (bad !== undefined) throw new RangeError(`headers: ${bad} cannot be sent`);
  }
  const { engine: name = "auto", fallback = false, signal, log } = options;
  const engine = await selectEngine(name, { fallback, ...(log === undefined ? {} : { log }) });
  signal?.throwIfAborted();
  const addresses = await resolve(target);
  const startMs = performance.now();
  const request = { ...target, headers, trust, idleTimeoutMs, maxPacketBytes };
  const mayFallBack = name === "auto" && fallback && engine.name !== "websocket";
  try {
    const deadlineMs = startMs + (mayFallBack ? timeoutMs / 2 : timeoutMs);
    return await connectToAny(engine, addresses, request, deadlineMs, signal);
  } catch (error) {
    if (!mayFallBack || !(error instanceof ConnectError) || !isAboutThePath(error)) throw error;
    log?.("warn", "falling back to websocket", { engine: engine.name, reason: error.message });
    const webSocket = await selectEngine("websocket");
    try {
      return await connectToAny(webSocket, addresses, request, startMs + timeoutMs, signal);
    } catch (second) {
      if (!(second instanceof ConnectError)) throw second;
      const kind = isAboutThePath(second) ? error.kind : second.kind;
      throw new ConnectError(kind, `${error.message}; and with websocket: ${second.message}`, {
        cause: second,
      });
    }
  }
}

/** Kinds of errors that another transport may not have. */
function isAboutThePath({ kind }: ConnectError): boolean {
  return kind === "timeout" || kind === "refused" || kind === "engine";
}

/** Tries the addresses one after another until one answers. */
async function connectToAny(
  engine: Engine,
  addresses: readonly string[],
  request: Omit<EngineConnectOptions, "address" | "timeoutMs">,
  deadlineMs: number,
  signal: AbortSignal | undefined,
): Promise<Session> {
  let failure: unknown;
  for (const address of addresses) {
    signal?.throwIfAborted();
    const remainingMs = Math.ceil(deadlineMs - performance.now());
    if (failure !== undefined && remainingMs <= 0) break;
    const attempt = engine.connect({ ...request, address, timeoutMs: Math.max(1, remainingMs) });
    try {
      return await orAborted(attempt, signal);
    } catch (error) {
      failure ??= error;
      // `localhost` may name two addresses of which one is listened on.
      if (!(error instanceof ConnectError) || error.kind !== "refused") throw error;
    }
  }
  throw failure;
}

function parseTrust(target: SessionUrl, options: ConnectOptions): Trust {
  if (options.certificateHash !== undefined) {
    const certificateHash = options.certificateHash.replaceAll(":", "").toLowerCase();
    if (!/^[0-9a-f]{64}$/.test(certificateHash)) {
      throw new ConnectError("certificate", "certificateHash must be a SHA-256 in 64 hexadecimal digits");
    }
    return { type: "hash", certificateHash };
  }
  if (options.insecure === true) return { type: "none" };
  const { host } = target;
  if (options.ca !== undefined) return { type: "roots", ca: options.ca, host };
  return { type: "roots", ca: rootCertificates.join("\n"), isDefault: true, host };
}

async function resolve({ host }: SessionUrl): Promise<string[]> {
  try {
    const found = await lookup(host, { all: true });
    return [...new Set(found.map(({ address }) => address))];
  } catch (cause) {
    throw new ConnectError("refused", `cannot resolve the host name ${host}`, { cause });
  }
}

/** Settles as `attempt` does, unless `signal` fires first; a session that opens after that is closed. */
function orAborted(attempt: Promise<Session>, signal: AbortSignal | undefined): Promise<Session> {
  if (signal === undefined) return attempt;
  return new Promise((resolve, reject) => {
    const handleAbort = () => {
      attempt.then((session) => session.close(0, "aborted")).catch(() => {});
      reject(signal.reason as unknown);
    };
    signal.addEventListener("abort", handleAbort, { once: true });
    attempt.then(resolve, reject).finally(() => signal.removeEventListener("abort", handleAbort));
  });
}

/** A whole number within limits, or an error that names the option. */
export function checkRange(field: string, value: number, min: number, max: number): number {
  if (!Number.isInteger(value) || value < min || value > max) {
    throw new RangeError(`${field} must be a whole number from ${min} to ${max}, got ${value}`);
  }
  return value;
}
