import type { Session } from "@sluice/transport";
import { type ConnectOptions, connect } from "../connect.js";
import { type Chunk, toBytes } from "./streams.js";

/** https://www.w3.org/TR/webtransport/#dictdef-webtransporthash */
export interface WebTransportHash {
  readonly algorithm: string;
  readonly value: Chunk;
}

const SHA256_BYTES = 32;
const MAX_HASHES = 16;

/** The hashes in hexadecimal; throws where one is malformed, where there are too many, and where none is a sha-256. */
export function parseCertificateHashes(hashes: readonly WebTransportHash[]): string[] {
  // Unknown algorithms are ignored (WebTransport, 6.10); if nothing is left, nothing is trusted.
  const known = hashes.filter(({ algorithm }) => algorithm.toLowerCase() === "sha-256");
  if (hashes.length > 0 && known.length === 0) {
    throw new DOMException("serverCertificateHashes: only sha-256 is known", "NotSupportedError");
  }
  if (known.length > MAX_HASHES) {
    throw new RangeError(`serverCertificateHashes: at most ${MAX_HASHES}, got ${known.length}`);
  }
  return known.map(({ value }) => {
    const bytes = toBytes(value);
    if (bytes.byteLength !== SHA256_BYTES) {
      throw new TypeError(`serverCertificateHashes: a sha-256 has 32 bytes, got ${bytes.byteLength}`);
    }
    return Buffer.from(bytes).toString("hex");
  });
}

/**
 * Opens a session to a server whose certificate has one of `hashes`; without any, the options say what is trusted.
 * Rejects with `ConnectError`.
 */
export async function connectWithHashes(
  url: string,
  hashes: readonly string[],
  options: ConnectOptions,
): Promise<Session> {
  return connect(url, hashes.length === 0 ? options : { ...options, certificateHashes: hashes });
}
