/** Lets pages reach the server's WebSocket through the page's own address: they cannot trust a certificate by its hash there. */
import { X509Certificate } from "node:crypto";
import type { IncomingMessage } from "node:http";
import type { Duplex } from "node:stream";
import { connect } from "node:tls";

export interface WebSocketTarget {
  readonly host: string;
  readonly port: number;
  /** SHA-256 of the certificates that it may show, lower-case hexadecimal. */
  hashes(): readonly string[];
}

const connectTimeoutMs = 5_000;

/** Passes an upgrade on and then every byte both ways, until either side ends. */
export function proxyWebSocket(
  request: IncomingMessage,
  socket: Duplex,
  head: Buffer,
  target: WebSocketTarget,
): void {
  socket.on("error", () => socket.destroy());
  const server = connect({
    host: target.host,
    port: target.port,
    rejectUnauthorized: false,
    timeout: connectTimeoutMs,
  });
  const end = () => {
    socket.destroy();
    server.destroy();
  };
  server.once("timeout", end);
  server.on("error", end);
  server.on("close", end);
  socket.on("close", end);
  server.once("secureConnect", () => {
    const { raw } = server.getPeerCertificate();
    const hash = raw && new X509Certificate(raw).fingerprint256.replaceAll(":", "").toLowerCase();
    if (!hash || !target.hashes().includes(hash)) {
      end();
      return;
    }
    server.setTimeout(0);
    const lines = ["GET / HTTP/1.1"];
    for (let i = 0; i < request.rawHeaders.length; i += 2) {
      lines.push(`${request.rawHeaders[i]}: ${request.rawHeaders[i + 1]}`);
    }
    server.write(`${lines.join("\r\n")}\r\n\r\n`);
    server.write(head);
    server.pipe(socket);
    socket.pipe(server);
  });
}
