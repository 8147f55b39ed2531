import { lookup } from "node:dns/promises";
import { ConnectError, type Session } from "@sluice/transport";
import { checkRange } from "./check-range.js";
import { defaultRoots } from "./default-roots.js";
import type { Engine, EngineConnectOptions, Log } from "./engine.js";
import { describeBadField } from "./h3/message.js";
import type { Trust } from "./quiche/messages.js";
import type { QuicThreadName } from "./quiche/quic-thread.js";
import { type EngineName, selectEngine } from "./select-engine.js";
import { parseSessionUrl, type SessionUrl } from "./url.js";

/** How to open a session. */
export interface ConnectOptions {
  /** SHA-256 of the server's certificate (DER) in hexadecimal; it alone is trusted then, whoever signed it. */
  readonly certificateHash?: string;
  /** Several of them, of which the server's certificate has to have one: the present one and the next. At most 16. */
  readonly certificateHashes?: readonly string[];
  /**
   * Takes any certificate. For experiments only: anybody on the path can read and change everything. Each use is logged
   * as a warning, or is a warning of the process where there is no `log`. Hashes go before it.
   */
  readonly insecure?: boolean;
  /** Trusted roots in PEM, instead of those of Node: its bundled ones and those of `NODE_EXTRA_CA_CERTS`. */
  readonly ca?: string;
  /** For the whole way to the open session, in milliseconds. Default 5,000. */
  readonly timeoutMs?: number;
  /** A connection without a sign of life for so long ends, in milliseconds. Default 30,000. */
  readonly idleTimeoutMs?: number;
  /**
   * Largest UDP payload that is tried, in bytes, 1,200 to 16,384. Packets grow from 1,200 as the path carries them, by
   * default up to Ethernet's 1,472 (IPv6: 1,452), or 15,872 to a peer on this machine.
   */
  readonly maxPacketBytes?: number;
  /** Header fields of the request, as `authorization`. */
  readonly headers?: Readonly<Record<string, string>>;
  readonly engine?: EngineName;
  /**
   * Where the engine `quiche` runs, which is decided for the whole process by the first who uses it. `worker`: in a thread
   * of its own, which sends and acknowledges in time while the caller computes. `caller`: on the thread of the caller,
   * which saves two changes of thread for each packet, some 0.15 ms of a round trip; for callers whose thread is never busy
   * for more than some milliseconds. Default `worker`.
   */
  readonly thread?: QuicThreadName;
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
const MAX_HASHES = 16;

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
  const maxPacketBytes =
    options.maxPacketBytes === undefined
      ? undefined
      : checkRange("maxPacketBytes", options.maxPacketBytes, 1200, 16_384);
  const headers = Object.entries(options.headers ?? {});
  for (const [name, value] of headers) {
    const bad = describeBadField(name.toLowerCase(), value);
    if (bad !== undefined) throw new RangeError(`headers: ${bad} cannot be sent`);
  }
  const { engine: name = "auto", fallback = false, thread, signal, log } = options;
  const engine = await selectEngine(name, {
    fallback,
    ...(thread === undefined ? {} : { thread }),
    ...(log === undefined ? {} : { log }),
  });
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
  const { certificateHash, certificateHashes = [], log } = options;
  const hashes = [...(certificateHash === undefined ? [] : [certificateHash]), ...certificateHashes];
  // An empty list is no list: it must not turn into trust in anybody.
  if (hashes.length > 0 || options.certificateHashes !== undefined) {
    return { type: "hash", certificateHashes: parseHashes(hashes) };
  }
  if (options.insecure === true) {
    const text = `insecure: the certificate of ${target.authority} is not checked; anybody on the path can read and change everything`;
    if (log === undefined) process.emitWarning(text, { code: "SLUICE_INSECURE" });
    else log("warn", text, { host: target.host, port: target.port });
    return { type: "none" };
  }
  if (options.ca !== undefined) return { type: "roots", ca: options.ca, host: target.host };
  try {
    // Where nothing was added, an engine with roots of its own may use those.
    const isDefault = process.env.NODE_EXTRA_CA_CERTS === undefined ? ({ isDefault: true } as const) : {};
    return { type: "roots", ca: defaultRoots(), ...isDefault, host: target.host };
  } catch (cause) {
    const message = cause instanceof Error ? cause.message : String(cause);
    throw new ConnectError("certificate", `NODE_EXTRA_CA_CERTS cannot be read: ${message}`, { cause });
  }
}

function parseHashes(texts: readonly string[]): string[] {
  if (texts.length === 0 || texts.length > MAX_HASHES) {
    const message = `certificateHashes must hold 1 to ${MAX_HASHES} hashes, got ${texts.length}`;
    throw new ConnectError("certificate", message);
  }
  return texts.map((text) => {
    const hash = text.replaceAll(":", "").toLowerCase();
    if (/^[0-9a-f]{64}$/.test(hash)) return hash;
    throw new ConnectError("certificate", "certificateHash must be a SHA-256 in 64 hexadecimal digits");
  });
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
