import quiche from "@matrixai/quic/native/quiche.js";
import type { Config } from "@matrixai/quic/native/types.js";
import { COMMON_PACKET_BYTES } from "../path-mtu/packet-size-search.js";

/** What both ends of a connection agree on with themselves. */
export interface QuicOptions {
  /** A connection without packets from the peer for so long is dead. */
  readonly idleTimeoutMs: number;
  /** Largest UDP payload that we send, 1,200 to 16,384; `undefined` leaves it to the path. */
  readonly maxPacketBytes: number | undefined;
  readonly congestionControl: "bbr" | "cubic" | "reno";
}

export const DEFAULT_QUIC_OPTIONS: QuicOptions = {
  idleTimeoutMs: 30_000,
  maxPacketBytes: undefined,
  congestionControl: "bbr",
};

/** RFC 9114 3.1 */
export const APPLICATION_PROTOCOL = "h3";

const MEBIBYTE = 1 << 20;
/**
 * Addresses that one peer may have in the life of a connection. The engine takes this from the number of connection ids
 * that it accepts (RFC 9000 18.2), and keeps the path of a client that a NAT gave another port (9.3) for good.
 */
const MAX_PATHS = 32;
/** Datagrams that the engine holds in each direction. */
export const RECEIVE_QUEUE_DATAGRAMS = 4096;
export const SEND_QUEUE_DATAGRAMS = 128;

/**
 * What the engine takes for its packet size when it reckons its congestion window, of which four are the least;
 * `PathModel` says how much really leaves. So a window that collapsed on a random loss still lets a burst out: about
 * 100 kB of a client's tensors, 16 kB of a server's results. The price: the engine's pacer, though switched off, dates
 * packets back by up to two units at the present rate, so a connection that sends little sees a longer round trip, and
 * probes later for what it lost. A server answers sparse clients with little; 20 pings a second over 40 ms read 45 ms
 * with its packets as the unit, 72 ms with three of them, 330 ms with a client's unit.
 */
const CLIENT_WINDOW_UNIT_BYTES = 27_000;
const SERVER_WINDOW_UNIT_BYTES = 3 * COMMON_PACKET_BYTES;
/** The engine makes no packets above its unit, and those to peers on this machine are large. */
const NEAR_WINDOW_UNIT_BYTES = 16_384;

/** Certificate chain and key of a server in PEM. */
export interface ServerTls {
  readonly cert: string;
  readonly key: string;
}

/** Signature algorithms of BoringSSL that certificates may have. */
const SIGNATURE_ALGORITHMS = [
  "rsa_pkcs1_sha256",
  "rsa_pkcs1_sha384",
  "rsa_pkcs1_sha512",
  "rsa_pss_rsae_sha256",
  "rsa_pss_rsae_sha384",
  "rsa_pss_rsae_sha512",
  "ecdsa_secp256r1_sha256",
  "ecdsa_secp384r1_sha384",
  "ecdsa_secp521r1_sha512",
  "ed25519",
].join(":");

/** `isNear`: for clients that seem to run on this machine. */
export function createServerConfig(tls: ServerTls, options: QuicOptions, isNear = false): Config {
  return tune(
    quiche.Config.withBoringSslCtx(
      false,
      false,
      undefined,
      [Buffer.from(tls.key)],
      [Buffer.from(tls.cert)],
      SIGNATURE_ALGORITHMS,
    ),
    options,
    isNear ? NEAR_WINDOW_UNIT_BYTES : SERVER_WINDOW_UNIT_BYTES,
  );
}

/** `ca`: trusted roots in PEM; `undefined` leaves the check of the certificate to the caller. */
export function createClientConfig(ca: string | undefined, options: QuicOptions): Config {
  const isVerified = ca !== undefined;
  return tune(
    quiche.Config.withBoringSslCtx(
      isVerified,
      false,
      isVerified ? Buffer.from(ca) : undefined,
      undefined,
      undefined,
      SIGNATURE_ALGORITHMS,
    ),
    options,
    CLIENT_WINDOW_UNIT_BYTES,
  );
}

function tune(config: Config, options: QuicOptions, windowUnitBytes: number): Config {
  const algorithm = quiche.CongestionControlAlgorithm;
  config.setApplicationProtos([APPLICATION_PROTOCOL]);
  config.setMaxIdleTimeout(options.idleTimeoutMs);
  config.setMaxRecvUdpPayloadSize(65_527);
  // Packets are as large as the buffers that they are written to; `PathMtu` says how large.
  config.setMaxSendUdpPayloadSize(Math.max(windowUnitBytes, options.maxPacketBytes ?? 0));
  // A tensor of 64 MiB must not wait for credit on a fast path with a long round trip; the engine grows the
  // windows up to the maxima as they are used.
  config.setInitialMaxData(16 * MEBIBYTE);
  config.setInitialMaxStreamDataBidiLocal(4 * MEBIBYTE);
  config.setInitialMaxStreamDataBidiRemote(4 * MEBIBYTE);
  config.setInitialMaxStreamDataUni(4 * MEBIBYTE);
  config.setMaxStreamWindow(16 * MEBIBYTE);
  config.setMaxConnectionWindow(32 * MEBIBYTE);
  config.setInitialMaxStreamsBidi(256);
  config.setInitialMaxStreamsUni(1024);
  config.enableDgram(true, RECEIVE_QUEUE_DATAGRAMS, SEND_QUEUE_DATAGRAMS);
  config.setDisableActiveMigration(true);
  config.setActiveConnectionIdLimit(MAX_PATHS);
  config.setCcAlgorithm(
    options.congestionControl === "bbr"
      ? algorithm.BBR
      : options.congestionControl === "cubic"
        ? algorithm.CUBIC
        : algorithm.Reno,
  );
  config.enablePacing(false);
  return config;
}
