import { createHash, createPrivateKey, X509Certificate } from "node:crypto";
import { createCertificate } from "@sluice/http3";
import t from "tap";

t.test("a certificate is what browsers accept by its hash", async (t) => {
  const now = new Date("2026-03-01T12:00:00Z");
  const made = await createCertificate({ hosts: ["example.com", "10.0.0.1", "::1"], days: 14, now });
  const certificate = new X509Certificate(made.cert);
  t.equal(made.hash, createHash("sha256").update(certificate.raw).digest("hex"));
  t.equal(certificate.publicKey.asymmetricKeyType, "ec");
  t.equal(certificate.publicKey.asymmetricKeyDetails?.namedCurve, "prime256v1");
  t.ok(certificate.checkPrivateKey(createPrivateKey(made.key)));
  t.ok(certificate.verify(certificate.publicKey), "self-signed");
  const lifeMs = Date.parse(certificate.validTo) - Date.parse(certificate.validFrom);
  t.ok(lifeMs <= 14 * 86_400_000, `${lifeMs} ms`);
  t.ok(Date.parse(certificate.validFrom) <= now.getTime());
  t.equal(Date.parse(certificate.validTo), made.notAfter.getTime());
  t.equal(certificate.checkHost("example.com"), "example.com");
  t.equal(certificate.checkIP("10.0.0.1"), "10.0.0.1");
  t.equal(certificate.checkHost("example.org"), undefined);
  t.not((await createCertificate({ now })).hash, (await createCertificate({ now })).hash);
});

t.test("what it cannot be is said", async (t) => {
  await t.rejects(createCertificate({ days: 14.5 }), /days/);
  await t.rejects(createCertificate({ days: 0 }), /days/);
  await t.rejects(createCertificate({ hosts: [] }), /hosts/);
});
