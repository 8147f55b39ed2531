import { webcrypto } from "node:crypto";
// The next import does not load without it.
import "reflect-metadata";
import * as x509 from "@peculiar/x509";

/** A certificate for `address` signed by an authority of its own, and that authority's certificate, in PEM. */
export async function issueCertificate(address: string): Promise<{ ca: string; cert: string; key: string }> {
  const notBefore = new Date(Date.now() - 3_600_000);
  const notAfter = new Date(Date.now() + 3_600_000);
  const algorithm = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" };
  const authorityKeys = await webcrypto.subtle.generateKey(algorithm, true, ["sign", "verify"]);
  const authority = await x509.X509CertificateGenerator.createSelfSigned(
    {
      name: "CN=Test authority",
      notBefore,
      notAfter,
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
      subject: `CN=${address}`,
      issuer: authority.subject,
      notBefore,
      notAfter,
      signingAlgorithm: algorithm,
      publicKey: leafKeys.publicKey,
      signingKey: authorityKeys.privateKey,
      extensions: [new x509.SubjectAlternativeNameExtension([{ type: "ip", value: address }])],
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
