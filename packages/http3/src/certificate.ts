import { createHash, webcrypto } from "node:crypto";
import { isIP } from "node:net";
// The next import does not load without it.
import "reflect-metadata";
import * as x509 from "@peculiar/x509";

/** A self-signed certificate and its key. */
export interface Certificate {
  /** PEM. */
  readonly cert: string;
  /** PKCS #8 in PEM. */
  readonly key: string;
  /** SHA-256 of the certificate's DER, lower-case hexadecimal. */
  readonly hash: string;
  readonly notBefore: Date;
  readonly notAfter: Date;
}

/** What a certificate is for. */
export interface CertificateOptions {
  /** Host names and addresses. Default `localhost`, `127.0.0.1`, `::1`. */
  readonly hosts?: readonly string[];
  /** Validity, 1 to 14 days: browsers trust no longer ones by their hash. Default 13. */
  readonly days?: number;
  /** The present. Default: the clock. */
  readonly now?: Date;
}

const MAX_DAYS = 14;
const DAY_MS = 86_400_000;
/** The beginning lies in the past, for peers whose clock is behind. */
const BACKDATE_MS = 3_600_000;

/**
 * Makes a self-signed ECDSA P-256 certificate, which browsers accept by its hash (`serverCertificateHashes`,
 * https://www.w3.org/TR/webtransport/#custom-certificate-requirements).
 */
export async function createCertificate(options: CertificateOptions = {}): Promise<Certificate> {
  const hosts = options.hosts ?? ["localhost", "127.0.0.1", "::1"];
  const days = options.days ?? MAX_DAYS - 1;
  if (hosts.length === 0) throw new RangeError("hosts must name at least one host");
  if (!(days > 0 && days <= MAX_DAYS))
    throw new RangeError(`days must be more than 0 and at most 14, got ${days}`);
  const nowMs = (options.now ?? new Date()).getTime();
  const notBefore = new Date(nowMs - BACKDATE_MS);
  const notAfter = new Date(notBefore.getTime() + days * DAY_MS);
  const algorithm = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" };
  const keys = await webcrypto.subtle.generateKey(algorithm, true, ["sign", "verify"]);
  const certificate = await x509.X509CertificateGenerator.createSelfSigned(
    {
      serialNumber: Buffer.from(webcrypto.getRandomValues(new Uint8Array(16)).fill(0x4f, 0, 1)).toString(
        "hex",
      ),
      name: [{ CN: [hosts[0] ?? "localhost"] }],
      notBefore,
      notAfter,
      signingAlgorithm: algorithm,
      keys,
      extensions: [
        new x509.BasicConstraintsExtension(false, undefined, true),
        new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
        new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage.serverAuth]),
        new x509.SubjectAlternativeNameExtension(
          hosts.map((host) => ({ type: isIP(host) === 0 ? ("dns" as const) : ("ip" as const), value: host })),
        ),
      ],
    },
    webcrypto,
  );
  const pkcs8 = Buffer.from(await webcrypto.subtle.exportKey("pkcs8", keys.privateKey)).toString("base64");
  const lines = pkcs8.match(/.{1,64}/g) ?? [];
  return {
    cert: certificate.toString("pem"),
    key: `-----BEGIN PRIVATE KEY-----\n${lines.join("\n")}\n-----END PRIVATE KEY-----\n`,
    hash: createHash("sha256").update(Buffer.from(certificate.rawData)).digest("hex"),
    // Certificates hold whole seconds (RFC 5280 4.1.2.5).
    notBefore: certificate.notBefore,
    notAfter: certificate.notAfter,
  };
}
