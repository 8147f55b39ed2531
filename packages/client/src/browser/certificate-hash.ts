import { ConnectError } from "@sluice/transport/core";

/** The standard's limit is the browser's own; more than this is no list of one server's certificates. */
const maxHashes = 16;

/**
 * SHA-256 hashes from hexadecimal text, with or without colons.
 * @throws ConnectError `certificate` where a text is no hash, or where there are too many
 */
export function parseCertificateHashes(texts: readonly string[]): Uint8Array<ArrayBuffer>[] {
  if (texts.length > maxHashes) {
    throw new ConnectError("certificate", `certificateHashes: at most ${maxHashes}, got ${texts.length}`);
  }
  return texts.map((text) => {
    const digits = text.replaceAll(":", "");
    if (!/^[0-9a-f]{64}$/i.test(digits)) {
      const message = `certificateHashes: a SHA-256 has 64 hexadecimal digits, got "${text.slice(0, 100)}"`;
      throw new ConnectError("certificate", message);
    }
    return Uint8Array.from(digits.match(/../g)!, (pair) => Number.parseInt(pair, 16));
  });
}
