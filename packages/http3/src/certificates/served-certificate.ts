import { createHash, createPrivateKey, X509Certificate } from "node:crypto";

/** A certificate chain and its key, checked. */
export interface ServedCertificate {
  /** PEM; the server's own certificate comes first. */
  readonly cert: string;
  /** PEM. */
  readonly key: string;
  /** SHA-256 of the own certificate's DER, lower-case hexadecimal. */
  readonly hash: string;
  readonly notBefore: Date;
  readonly notAfter: Date;
}

/** Checks that both parse and belong together. @throws RangeError that says which of them is wrong, and how */
export function readServedCertificate(pem: {
  readonly cert: string;
  readonly key: string;
}): ServedCertificate {
  const certificate = attempt("certificate.cert", () => new X509Certificate(pem.cert));
  const key = attempt("certificate.key", () => createPrivateKey(pem.key));
  if (!certificate.checkPrivateKey(key)) {
    throw new RangeError(
      "certificate.key is not the key of certificate.cert: both must come from the same issue",
    );
  }
  return {
    cert: pem.cert,
    key: pem.key,
    hash: createHash("sha256").update(certificate.raw).digest("hex"),
    notBefore: new Date(certificate.validFrom),
    notAfter: new Date(certificate.validTo),
  };
}

function attempt<T>(field: string, read: () => T): T {
  try {
    return read();
  } catch (cause) {
    const message = cause instanceof Error ? cause.message : String(cause);
    throw new RangeError(`${field} is not the PEM that it must be: ${message}`, { cause });
  }
}
