import type { ServedCertificate } from "./served-certificate.js";

/** Where a server's certificates come from, and which ones there are at the moment. */
export interface CertificateSource {
  /** What new connections get. */
  readonly current: ServedCertificate;
  /** What they will get, once it is decided. */
  readonly next: ServedCertificate | undefined;
  /** What they got before. */
  readonly previous: ServedCertificate | undefined;
  /** Called with every new {@link current}. */
  onChange(handler: (certificate: ServedCertificate) => void): void;
  /** Looks for a new one at once. What is wrong with it is logged, and the old one stays. */
  reload(): Promise<void>;
  /** Ends what runs by itself. */
  close(): void;
}

/** A certificate that somebody may pin, without its key. */
export interface PublishedCertificate {
  /** SHA-256 of the DER, lower-case hexadecimal, for `serverCertificateHashes`. */
  readonly hash: string;
  readonly role: "current" | "next" | "previous";
  /** ISO 8601. */
  readonly notBefore: string;
  readonly notAfter: string;
}

/** What a client may pin at `nowMs` (Unix time in milliseconds): the present one first, none that has expired. */
export function publishedCertificates(
  source: Pick<CertificateSource, "current" | "next" | "previous">,
  nowMs: number,
): PublishedCertificate[] {
  return (["current", "next", "previous"] as const).flatMap((role) => {
    const certificate = source[role];
    if (certificate === undefined) return [];
    const { hash, notBefore, notAfter } = certificate;
    if (role !== "current" && notAfter.getTime() <= nowMs) return [];
    return [{ hash, role, notBefore: notBefore.toISOString(), notAfter: notAfter.toISOString() }];
  });
}

/** A source that never changes. */
export function fixedCertificate(current: ServedCertificate): CertificateSource {
  return {
    current,
    next: undefined,
    previous: undefined,
    onChange() {},
    async reload() {},
    close() {},
  };
}
