import { readFileSync } from "node:fs";
import * as tls from "node:tls";

/** What later versions of Node know: the roots that it trusts itself, those of `NODE_EXTRA_CA_CERTS` included. */
interface LaterTls {
  getCACertificates?(type: "default"): string[];
}

let extra: { readonly path: string; readonly pem: string } | undefined;

/**
 * The roots in PEM that Node trusts for its own connections: the bundled ones of Mozilla, or those of the system where
 * Node was told to use them, and the file named by `NODE_EXTRA_CA_CERTS`. Throws where that file cannot be read.
 */
export function defaultRoots(environment: NodeJS.ProcessEnv = process.env): string {
  const later: typeof tls & LaterTls = tls;
  if (later.getCACertificates !== undefined && environment === process.env) {
    return later.getCACertificates("default").join("\n");
  }
  const roots = tls.rootCertificates.join("\n");
  const path = environment.NODE_EXTRA_CA_CERTS;
  if (path === undefined || path === "") return roots;
  // Node reads it once as well.
  if (extra?.path !== path) extra = { path, pem: readFileSync(path, "utf8") };
  return `${roots}\n${extra.pem}`;
}
