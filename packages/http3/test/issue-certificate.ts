import { webcrypto } from "node:crypto";
import { isIP } from "node:net";
// The next import does not load without it.
import "reflect-metadata";
import * as x509 from "@peculiar/x509";

/** What may be unusual about it. */
export interface IssueOptions {
  /** Default: an hour from the present. */
  readonly notAfter?: Date;
  /** More names in it, to make it long. */
  readonly moreNames?: readonly string[];
}

/** A certificate for a host name or address, signed by an authority of its own, and that authority's, in PEM. */
export async function issueCertificate(
  host: string,
  options: IssueOptions = {},
): Promise<{ ca: string; cert: string; key: string }> {
  const notAfter = options.notAfter ?? new Date(Date.now() + 3_600_000);
  const notBefore = new Date(Math.min(Date.now(), notAfter.getTime()) - 3_600_000);
  const names = [host, ...(options.moreNames ?? [])];
  const algorithm = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" };
  const authorityKeys = await webcrypto.subtle.generateKey(algorithm, true, ["sign", "verify"]);
  const authority = await x509.X509CertificateGenerator.createSelfSigned(
    {
      name: "CN=Test authority",
      notBefore,
      // The authority goes on: it is the certificate itself that may have expired.
      notAfter: new Date(Date.now() + 3_600_000),
      signingAlgorithm: algorithm,
      keys: authorityKeys,
      extensions: [
        new x509.BasicConstraintsExtension(true, undefined, true),
        new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign, true),
      ],
    },
    webcrypto,
  );
  const leafKeys = await webcrypto.subtle.generateKey(algorithm, true, ["sign", "verify"]);
  const leaf = await x509.X509CertificateGenerator.create(
    {
      subject: `CN=${host}`,
      issuer: authority.subject,
      notBefore,
      notAfter,
      signingAlgorithm: algorithm,
      publicKey: leafKeys.publicKey,
      signingKey: authorityKeys.privateKey,
      extensions: [
        new x509.SubjectAlternativeNameExtension(
          names.map((value) => ({ type: isIP(value) === 0 ? ("dns" as const) : ("ip" as const), value })),
        ),
      ],
    },
    webcrypto,
  );
  const pkcs8 = Buffer.from(await webcrypto.subtle.exportKey("pkcs8", leafKeys.privateKey)).toString(
    "base64",
  );
  const lines = pkcs8.match(/.{1,64}/g) ?? [];
  const pem = `-----BEGIN PRIVATE KEY-----\n${lines.join("\n")}\n-----END PRIVATE KEY-----\n`;
  return { ca: authority.toString("pem"), cert: leaf.toString("pem"), key: pem };
}
