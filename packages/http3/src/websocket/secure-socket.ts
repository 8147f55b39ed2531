import { createHash } from "node:crypto";
import { isIP } from "node:net";
import { type ConnectionOptions, checkServerIdentity, connect, type TLSSocket } from "node:tls";
import { ConnectError } from "@sluice/transport";
import type { EngineConnectOptions } from "../engine.js";

/**
 * Opens a TLS connection whose certificate is judged before a byte of the request leaves. `signal` gives up.
 * Rejects with `ConnectError`.
 */
export function openSecureSocket(options: EngineConnectOptions, signal: AbortSignal): Promise<TLSSocket> {
  const { address, host, port, trust } = options;
  const where = `${address}:${port}`;
  return new Promise((resolve, reject) => {
    const tls: ConnectionOptions = {
      host: address,
      port,
      ALPNProtocols: ["http/1.1"],
      minVersion: "TLSv1.2",
      rejectUnauthorized: trust.type === "roots",
      checkServerIdentity: (_, certificate) => checkServerIdentity(host, certificate),
    };
    if (isIP(host) === 0) tls.servername = host;
    if (trust.type === "roots") tls.ca = trust.ca;
    const socket = connect(tls);
    const abort = () => fail(signal.reason);
    const fail = (error: unknown) => {
      signal.removeEventListener("abort", abort);
      socket.destroy();
      reject(error);
    };
    signal.addEventListener("abort", abort, { once: true });
    let hasTcp = false;
    socket.once("connect", () => {
      hasTcp = true;
    });
    socket.once("error", (error: Error & { code?: string }) => fail(explain(error, where, hasTcp)));
    socket.once("close", () => fail(new ConnectError("refused", `${where} closed the connection`)));
    socket.once("secureConnect", () => {
      const wrong = trust.type === "hash" ? judge(socket, trust.certificateHashes, where) : undefined;
      if (wrong !== undefined) {
        fail(wrong);
        return;
      }
      signal.removeEventListener("abort", abort);
      socket.removeAllListeners("error");
      socket.removeAllListeners("close");
      resolve(socket);
    });
  });
}

function judge(socket: TLSSocket, expected: readonly string[], where: string): ConnectError | undefined {
  const certificate = socket.getPeerX509Certificate();
  const actual = createHash("sha256")
    .update(certificate?.raw ?? Buffer.alloc(0))
    .digest("hex");
  if (certificate === undefined || !expected.includes(actual)) {
    return new ConnectError(
      "certificate",
      `${where}: the certificate's SHA-256 is ${actual}, expected ${expected.join(" or ")}`,
    );
  }
  const nowMs = Date.now();
  if (nowMs < Date.parse(certificate.validFrom) || nowMs > Date.parse(certificate.validTo)) {
    const validity = `valid from ${certificate.validFrom} to ${certificate.validTo} only`;
    return new ConnectError("certificate", `${where}: the certificate is ${validity}`);
  }
  return undefined;
}

function explain(error: Error & { code?: string }, where: string, hasTcp: boolean): ConnectError {
  const cause = { cause: error };
  const code = error.code ?? "";
  if (!hasTcp)
    return new ConnectError("refused", `nothing listens at ${where}: ${code || error.message}`, cause);
  // OpenSSL's verify results, and the check of the name.
  if (/CERT|ISSUER|SIGNATURE|CRL|CA_|PATH_LENGTH/.test(code)) {
    return new ConnectError(
      "certificate",
      `the certificate of ${where} is not trusted: ${error.message}`,
      cause,
    );
  }
  return new ConnectError("refused", `${where} refused the connection: ${error.message}`, cause);
}
