import type { Log } from "../engine.js";
import { type CertificateSource, fixedCertificate } from "./certificate-source.js";
import { type CertificateFiles, FileCertificates } from "./file-certificates.js";
import { SelfMadeCertificates } from "./self-made-certificates.js";
import { readServedCertificate } from "./served-certificate.js";

/** How a server comes by its certificate. */
export type CertificateOption =
  /** Texts in PEM. They stay. */
  | { readonly cert: string; readonly key: string }
  | CertificateFiles
  /** Self-signed ones: for which hosts (default: where the server listens), and for how many days each (default 13). */
  | { readonly hosts?: readonly string[]; readonly days?: number };

/** Opens it; rejects where there is no usable certificate. */
export async function openCertificateSource(
  option: CertificateOption,
  defaultHosts: readonly string[],
  log: Log,
): Promise<CertificateSource> {
  if ("cert" in option) return fixedCertificate(readServedCertificate(option));
  if ("certFile" in option) return FileCertificates.open(option, log);
  const { hosts = defaultHosts, days } = option;
  return SelfMadeCertificates.create({ hosts, log, ...(days === undefined ? {} : { days }) });
}
