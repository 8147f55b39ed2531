import { createHash, X509Certificate } from "node:crypto";
import { lookup } from "node:dns/promises";
import type { SessionRequest, TransportServer } from "@sluice/transport";
import { createCertificate } from "./certificate.js";
import {
  checkRange,
  DEFAULT_IDLE_TIMEOUT_MS,
  DEFAULT_MAX_PACKET_BYTES,
  DEFAULT_TIMEOUT_MS,
} from "./connect.js";
import type { Log } from "./engine.js";
import { listenBoth } from "./listen-both.js";
import { type EngineName, selectEngine } from "./select-engine.js";

/** How to listen. */
export interface ListenOptions {
  /** Address or name to listen at. Default `127.0.0.1`. */
  readonly host?: string;
  /** UDP port, and TCP port of the engine `websocket` or of `fallback`; 0 takes a free one. */
  readonly port: number;
  /** Certificate chain and key in PEM. Without it a self-signed one is made, to be trusted by its hash. */
  readonly certificate?: { readonly cert: string; readonly key: string };
  /** The only path that is served, without its query; others get 404. Without it every path is. */
  readonly path?: string;
  /**
   * Decides about a request: `true` accepts, a number of 400 to 599 is the HTTP status that refuses; at once or later,
   * while `handshakeTimeoutMs` runs on. `onSession` gets the same request object; with the engine `fails`, which learns
   * the peer's address later, a copy.
   */
  readonly authorize?: (request: SessionRequest) => Authorization | Promise<Authorization>;
  /** Sessions at the same time; more get 503. Default 256. */
  readonly maxConnections?: number;
  /**
   * `always` makes every client prove its address before anything is kept for it (RFC 9000 8.1.2), which
   * costs it one more round trip. Default `always` where the engine can: quinn cannot, and is passed over by `auto`
   * where this is asked for.
   */
  readonly retry?: "always" | "never";
  /** A connection without a sign of life for so long ends, in milliseconds. Default 30,000. */
  readonly idleTimeoutMs?: number;
  /** For a client from its first packet to its open session, in milliseconds. Default 5,000. */
  readonly handshakeTimeoutMs?: number;
  /** Largest UDP payload to send in bytes, 1,200 to 16,384. Default 1,350. */
  readonly maxPacketBytes?: number;
  readonly engine?: EngineName;
  /**
   * Takes sessions over WebSockets as well, on TCP at the same port number, for clients whose network blocks UDP.
   * `maxConnections` holds for each of the two then. Default false.
   */
  readonly fallback?: boolean;
  readonly log?: Log;
}

/** An answer of `authorize`. */
export type Authorization = true | number;

/** Starts a server; rejects with `ConnectError` of kind `engine` where it cannot listen. */
export async function listen(options: ListenOptions): Promise<TransportServer> {
  const host = options.host ?? "127.0.0.1";
  const port = checkRange("port", options.port, 0, 65_535);
  const maxConnections = checkRange("maxConnections", options.maxConnections ?? 256, 1, 1_000_000);
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
  const maxPacketBytes = checkRange(
    "maxPacketBytes",
    options.maxPacketBytes ?? DEFAULT_MAX_PACKET_BYTES,
    1200,
    16_384,
  );
  const log = options.log ?? (() => {});
  // A server is better reached without datagrams than not at all.
  const picked: Parameters<Log>[] = [];
  const engine = await selectEngine(options.engine, {
    ...{ fallback: true, listen: options },
    log: (...line) => picked.push(line),
  });
  const certificate =
    options.certificate ?? (await createCertificate({ hosts: [...new Set([host, "localhost"])] }));
  const { address } = await lookup(host);
  const checked = {
    address,
    host,
    port,
    certificate: { cert: certificate.cert, key: certificate.key },
    certificateHash: createHash("sha256").update(new X509Certificate(certificate.cert).raw).digest("hex"),
    retry: options.retry ?? "always",
    maxConnections,
    idleTimeoutMs,
    handshakeTimeoutMs,
    maxPacketBytes,
    decide: (request: SessionRequest) => decide(options, request),
    log,
  };
  const isOne = options.fallback !== true || engine.name === "websocket";
  const server = isOne
    ? await engine.listen(checked)
    : await listenBoth(engine, await selectEngine("websocket"), checked);
  // A server that does not start is explained by its error alone.
  for (const line of picked) log(...line);
  return server;
}

function decide({ path, authorize }: ListenOptions, request: SessionRequest): number | Promise<number> {
  if (path !== undefined && request.path.split("?", 1)[0] !== path) return 404;
  const answer = authorize === undefined ? true : authorize(request);
  return answer instanceof Promise ? answer.then(statusOf) : statusOf(answer);
}

function statusOf(answer: Authorization): number {
  return answer === true ? 200 : checkRange("the status from authorize", answer, 400, 599);
}
