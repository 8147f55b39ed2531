import { lookup } from "node:dns/promises";
import type { AdmissionLimits, RetryMode } from "./admission/admission.js";
import type { Rate } from "./admission/rate-table.js";
import { Refusals } from "./admission/refusals.js";
import { type Authorize, authorizeRequest } from "./authorize-request.js";
import { type CertificateSource, fixedCertificate } from "./certificates/certificate-source.js";
import { type CertificateOption, openCertificateSource } from "./certificates/open-certificate-source.js";
import { checkRange } from "./check-range.js";
import { DEFAULT_IDLE_TIMEOUT_MS, DEFAULT_TIMEOUT_MS } from "./connect.js";
import type { Engine, EngineListenOptions, EngineServer, Log } from "./engine.js";
import { createHttp3Server, type Http3Server } from "./http3-server.js";
import { listenBoth } from "./listen-both.js";
import { type AllowsOrigin, createOriginList } from "./origin-list.js";
import type { QuicThreadName } from "./quiche/quic-thread.js";
import { type EngineName, selectEngine } from "./select-engine.js";

/** How to listen. */
export interface ListenOptions {
  /** Address or name to listen at. Default `127.0.0.1`. */
  readonly host?: string;
  /** UDP port, and TCP port of the engine `websocket` or of `fallback`; 0 takes a free one. */
  readonly port: number;
  /**
   * Certificate chain and key in PEM, or the files that hold them, which are read again when they change, or how to make
   * self-signed ones, which are trusted by their hash and renewed in time. Default: self-signed ones for `host`.
   */
  readonly certificate?: CertificateOption;
  /** The only path that is served, without its query; others get 404. Without it every path is. */
  readonly path?: string;
  /**
   * Pages of which origins may open sessions, as {@link createOriginList} reads them, or a function that decides; other
   * pages get 403. Default: all. Requests without the header `origin` come from no browser and are not looked at here:
   * what is no browser can write any origin, and is held by tokens or `authorize`.
   */
  readonly origins?: readonly string[] | AllowsOrigin;
  /**
   * Decides about a request before it is a session: `true` accepts, a number of 400 to 599 is the HTTP status that
   * refuses; at once or later. Where it throws, the client gets 500. A browser names the page's origin in the header
   * `origin`. `onSession` gets the same request object; with the engine `fails`, which learns the peer's address later,
   * a copy.
   */
  readonly authorize?: Authorize;
  /** How long `authorize` may take, in milliseconds; then the client gets 503. Default 3,000, at most `handshakeTimeoutMs`. */
  readonly authorizeTimeoutMs?: number;
  /** Connections with sessions at the same time; more get 503. Default 256. */
  readonly maxConnections?: number;
  /**
   * Of which one source may have so many: an IPv4 address, or an IPv6 network of 64 bits. More get 429. Default 64, or
   * `maxConnections` where that is less. The defaults of this option and of the next one leave out peers on this
   * machine, where proxies and relays run; a limit that is given holds for them as well.
   */
  readonly maxConnectionsPerSource?: number;
  /** New connections of one source; what comes faster gets no answer, and clients try again. Default 16 a second, 64 at once. */
  readonly newConnectionsPerSource?: Rate;
  /**
   * When clients have to prove their address before anything is kept for them (RFC 9000 8.1.2), which costs them one
   * more round trip: `always`, `under-load` (32 handshakes under way or 100 new connections a second), or `never`.
   * Default `always` where the engine can: quinn cannot, and is passed over by `auto` where this is asked for.
   */
  readonly retry?: RetryMode;
  /** A connection without a sign of life for so long ends, in milliseconds. Default 30,000. */
  readonly idleTimeoutMs?: number;
  /** For a client from its first packet to its open session, in milliseconds. Default 5,000. */
  readonly handshakeTimeoutMs?: number;
  /**
   * Largest UDP payload that is tried, in bytes, 1,200 to 16,384. Packets grow from 1,200 as the path carries them, by
   * default up to Ethernet's 1,472 (IPv6: 1,452), or 15,872 to a peer on this machine.
   */
  readonly maxPacketBytes?: number;
  readonly engine?: EngineName;
  /**
   * Where the engine `quiche` runs, which is decided for the whole process by the first who uses it. `worker`: in a thread
   * of its own, which is watched and replaced where it hangs or fails. `caller`: on the thread of the caller, which saves
   * two changes of thread for each packet, some 0.15 ms of a round trip; nobody can end it there where it hangs on what a
   * peer sent, so not for servers that strangers reach. Default `worker`.
   */
  readonly thread?: QuicThreadName;
  /**
   * Takes sessions over WebSockets as well, on TCP at the same port number, for clients whose network blocks UDP.
   * `maxConnections` holds for each of the two then. Default false.
   */
  readonly fallback?: boolean;
  readonly log?: Log;
  /**
   * Called when the engine hangs in native code: no other one can be started in this process then, and the server stays
   * down as long as it lasts. Whoever is watched over should end the process, by SIGKILL, since `process.exit` waits
   * for the thread. It may be called again every ten seconds.
   */
  readonly onStuck?: () => void;
}

const RETRY_MODES: readonly RetryMode[] = ["always", "under-load", "never"];
const DEFAULT_PER_SOURCE = 64;
const DEFAULT_RATE: Rate = { perSecond: 16, burst: 64 };
const DEFAULT_AUTHORIZE_MS = 3000;

/**
 * Starts a server; rejects with `ConnectError` of kind `engine` where it cannot listen, and with `RangeError` that names
 * an option that is out of range.
 */
export async function listen(options: ListenOptions): Promise<Http3Server> {
  const host = options.host ?? "127.0.0.1";
  const port = checkRange("port", options.port, 0, 65_535);
  const idleTimeoutMs = checkRange(
    "idleTimeoutMs",
    options.idleTimeoutMs ?? DEFAULT_IDLE_TIMEOUT_MS,
    100,
    3_600_000,
  );
  const handshakeTimeoutMs = checkRange(
    "handshakeTimeoutMs",
    options.handshakeTimeoutMs ?? DEFAULT_TIMEOUT_MS,
    1,
    600_000,
  );
  const maxPacketBytes =
    options.maxPacketBytes === undefined
      ? undefined
      : checkRange("maxPacketBytes", options.maxPacketBytes, 1200, 16_384);
  const refusals = new Refusals();
  const { path, origins, authorize, log = () => {} } = options;
  const allowsOrigin = typeof origins === "object" ? createOriginList(origins) : origins;
  const decision = {
    ...{
      path,
      allowsOrigin,
      authorize,
      log,
      onRefused: (reason: Parameters<Refusals["add"]>[0]) => refusals.add(reason),
    },
    timeoutMs: checkRange(
      "authorizeTimeoutMs",
      options.authorizeTimeoutMs ?? Math.min(DEFAULT_AUTHORIZE_MS, handshakeTimeoutMs),
      1,
      handshakeTimeoutMs,
    ),
  };
  // A server is better reached without datagrams than not at all.
  const picked: Parameters<Log>[] = [];
  const engine = await selectEngine(options.engine, {
    ...{ fallback: true, listen: options },
    ...(options.thread === undefined ? {} : { thread: options.thread }),
    log: (...line) => picked.push(line),
  });
  const { address } = await lookup(host);
  const source = await openCertificateSource(
    options.certificate ?? {},
    [...new Set([host, "localhost"])],
    log,
  );
  try {
    const { cert, key, hash } = source.current;
    const engines = await listenOn(engine, options.fallback === true, {
      ...{
        ...readLimits(options),
        address,
        host,
        port,
        idleTimeoutMs,
        handshakeTimeoutMs,
        maxPacketBytes,
        log,
      },
      certificate: { cert, key },
      certificateHash: hash,
      ...(options.onStuck === undefined ? {} : { onStuck: options.onStuck }),
      decide: (request) => authorizeRequest(decision, request),
    });
    // A server that does not start is explained by its error alone.
    for (const line of picked) log(...line);
    return createHttp3Server(engines, keepIfNeeded(engines, source, log), refusals);
  } catch (error) {
    source.close();
    throw error;
  }
}

async function listenOn(
  engine: Engine,
  fallback: boolean,
  options: EngineListenOptions,
): Promise<[EngineServer, ...EngineServer[]]> {
  if (!fallback || engine.name === "websocket") return [await engine.listen(options)];
  return listenBoth(engine, await selectEngine("websocket"), options);
}

/** Stops a source whose new certificates would not be used: what is published must be what is served. */
function keepIfNeeded(
  engines: readonly EngineServer[],
  source: CertificateSource,
  log: Log,
): CertificateSource {
  if (engines.every((engine) => engine.setCertificate !== undefined)) return source;
  source.close();
  const { hash, notAfter } = source.current;
  log("warn", "this engine keeps its certificate: restart the server before it ends", {
    hash,
    notAfter: notAfter.toISOString(),
  });
  return fixedCertificate(source.current);
}

function readLimits(options: ListenOptions): AdmissionLimits {
  const maxConnections = checkRange("maxConnections", options.maxConnections ?? 256, 1, 1_000_000);
  const perSource = options.maxConnectionsPerSource ?? Math.min(DEFAULT_PER_SOURCE, maxConnections);
  const rate = options.newConnectionsPerSource ?? DEFAULT_RATE;
  if (!(rate.perSecond > 0 && rate.perSecond <= 1e6)) {
    throw new RangeError(
      `newConnectionsPerSource.perSecond must be more than 0 and at most 1,000,000, got ${rate.perSecond}`,
    );
  }
  const { retry = "always" } = options;
  if (!RETRY_MODES.includes(retry)) {
    throw new RangeError(`retry must be one of ${RETRY_MODES.join(", ")}, got ${JSON.stringify(retry)}`);
  }
  return {
    retry,
    maxConnections,
    maxConnectionsPerSource: checkRange("maxConnectionsPerSource", perSource, 1, 1_000_000),
    newConnectionsPerSource: {
      perSecond: rate.perSecond,
      burst: checkRange("newConnectionsPerSource.burst", rate.burst, 1, 1_000_000),
    },
    exemptLoopback:
      options.maxConnectionsPerSource === undefined && options.newConnectionsPerSource === undefined,
  };
}
