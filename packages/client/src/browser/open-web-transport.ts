import { type Clock, ConnectError, createW3cSession, type Session } from "@sluice/transport/core";
import type { BrowserHost } from "./browser-host.js";
import { parseCertificateHashes } from "./certificate-hash.js";

export interface OpenWebTransportOptions {
  readonly host: BrowserHost;
  readonly clock: Clock;
  readonly certificateHashes: readonly string[];
  readonly timeoutMs: number;
  readonly signal: AbortSignal | undefined;
}

/** Why there is no WebTransport here; `undefined` where there is. */
export function whyNoWebTransport(host: BrowserHost): string | undefined {
  if (host.WebTransport !== undefined) return undefined;
  return host.isSecureContext === false
    ? "WebTransport is missing: the page is no secure context (https, or http on localhost)"
    : "WebTransport is missing in this browser";
}

/**
 * Opens a session over the browser's own WebTransport.
 * @throws ConnectError `engine` where it is missing, `timeout`, `certificate` and `bad-url` for what can never work, and
 *   `refused` for everything else: browsers do not tell pages why a handshake failed
 */
export async function openWebTransport(url: string, options: OpenWebTransportOptions): Promise<Session> {
  const { host, clock, timeoutMs, signal } = options;
  const missing = whyNoWebTransport(host);
  if (missing !== undefined) throw new ConnectError("engine", missing);
  const hashes = parseCertificateHashes(options.certificateHashes);
  signal?.throwIfAborted();
  const transport = create(url, host, hashes);
  // It rejects together with `ready` where the handshake fails.
  transport.closed.catch(() => {});
  let giveUp: (error: unknown) => void = () => {};
  const givenUp = new Promise<never>((_, reject) => {
    giveUp = reject;
  });
  const timer = clock.schedule(timeoutMs, () =>
    giveUp(new ConnectError("timeout", `no WebTransport session within ${timeoutMs} ms: UDP may be blocked`)),
  );
  const abort = () => giveUp(signal?.reason);
  signal?.addEventListener("abort", abort);
  try {
    await Promise.race([transport.ready, givenUp]);
    return createW3cSession(transport, { emptyDatagrams: false });
  } catch (cause) {
    closeQuietly(transport);
    if (cause instanceof ConnectError || signal?.aborted) throw cause;
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new ConnectError("refused", `the WebTransport session did not open: ${reason}`, { cause });
  } finally {
    clock.cancel(timer);
    signal?.removeEventListener("abort", abort);
  }
}

function create(url: string, host: BrowserHost, hashes: readonly Uint8Array<ArrayBuffer>[]) {
  try {
    return new host.WebTransport!(url, {
      congestionControl: "low-latency",
      ...(hashes.length === 0
        ? {}
        : { serverCertificateHashes: hashes.map((value) => ({ algorithm: "sha-256" as const, value })) }),
    });
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new ConnectError("bad-url", `url: "${url}" cannot be opened: ${reason}`, { cause });
  }
}

/** A transport that was never ready may not be closed in every implementation. */
function closeQuietly(transport: ReturnType<typeof create>): void {
  try {
    transport.close({ closeCode: 0, reason: "" });
  } catch {
    // Then there is nothing to close.
  }
}
