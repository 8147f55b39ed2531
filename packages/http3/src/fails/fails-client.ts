import { isIPv6 } from "node:net";
import { ConnectError, type Session } from "@sluice/transport";
import type { EngineConnectOptions } from "../engine.js";
import type { FailsModule } from "./fails-module.js";
import { createFailsSession } from "./fails-session.js";

/** Opens a session; what this library cannot do is refused by name. Rejects with `ConnectError`. */
export async function connectFails(module: FailsModule, options: EngineConnectOptions): Promise<Session> {
  const { address, authority, path, headers, port, timeoutMs, trust } = options;
  if (trust.type !== "hash") {
    throw new ConnectError(
      "engine",
      "the engine fails checks certificates by their hash only: give certificateHash",
    );
  }
  if (headers.length > 0) throw new ConnectError("engine", "the engine fails cannot send headers");
  const where = `${address}:${port}`;
  const transport = new module.WebTransport(`https://${authority}${path}`, {
    serverCertificateHashes: trust.certificateHashes.map((hash) => ({
      algorithm: "sha-256",
      value: Buffer.from(hash, "hex"),
    })),
    requireUnreliable: true,
    forceIpv6: isIPv6(address),
    quicConnectTimeout: timeoutMs,
    webTransportConnectTimeout: timeoutMs,
  });
  transport.closed.catch(() => {});
  let timer: NodeJS.Timeout | undefined;
  const timeout = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      reject(new ConnectError("timeout", `no answer from ${where} within ${timeoutMs} ms`));
    }, timeoutMs);
  });
  try {
    await Promise.race([transport.ready, timeout]);
  } catch (error) {
    transport.ready.catch(() => {});
    transport.close({ closeCode: 0, reason: "given up" });
    if (error instanceof ConnectError) throw error;
    // The library does not say whether nobody listens, the certificate is another or the server refused.
    const message = error instanceof Error ? error.message : String(error);
    throw new ConnectError("refused", `${where} did not open a session: ${message}`, { cause: error });
  } finally {
    clearTimeout(timer);
  }
  return createFailsSession(transport);
}
