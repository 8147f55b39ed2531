import { ConnectError } from "@sluice/transport/core";

/** What a server says of itself at `/.well-known/sluice`. */
export interface DiscoveredServer {
  /** `https://host:port` */
  readonly url: string;
  /** SHA-256 of the present certificate and, where it is known, of the next one; for `certificateHashes`. */
  readonly certificateHashes: readonly string[];
}

/**
 * Asks a server, at the address of its metrics, where its sessions are and which certificates it has. A server that made
 * its certificate itself has another one after a restart: ask again for every attempt.
 * @param address such as `http://127.0.0.1:9464`
 * @throws ConnectError `refused` where there is no such answer
 */
export async function discover(
  address: string,
  fetchJson: (url: string) => Promise<unknown> = fetchFrom,
): Promise<DiscoveredServer> {
  const at = `${address.replace(/\/$/, "")}/.well-known/sluice`;
  const fail = (reason: string, cause?: unknown) =>
    new ConnectError("refused", `${at}: ${reason}`, cause === undefined ? {} : { cause });
  let answer: unknown;
  try {
    answer = await fetchJson(at);
  } catch (cause) {
    throw fail(cause instanceof Error ? cause.message : String(cause), cause);
  }
  const { url, certificates } = (answer ?? {}) as { readonly url?: unknown; readonly certificates?: unknown };
  if (typeof url !== "string" || !Array.isArray(certificates)) throw fail("says not where the server is");
  const certificateHashes = certificates.map((certificate: { readonly hash?: unknown }) => {
    if (typeof certificate?.hash !== "string") throw fail("a certificate without its hash");
    return certificate.hash;
  });
  return { url, certificateHashes };
}

interface FetchHost {
  fetch(url: string): Promise<{ readonly ok: boolean; readonly status: number; json(): Promise<unknown> }>;
}

async function fetchFrom(url: string): Promise<unknown> {
  const response = await (globalThis as unknown as FetchHost).fetch(url);
  if (!response.ok) throw new Error(`HTTP status ${response.status}`);
  return response.json();
}
