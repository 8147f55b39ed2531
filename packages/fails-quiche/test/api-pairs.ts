import { WebTransport as FailsWebTransport, Http3Server, quicheLoaded } from "@fails-components/webtransport";
import { createCertificate, listen, SessionWebTransport, WebTransport } from "@sluice/http3";
import type { W3cWebTransport } from "@sluice/transport";

/** Both ends of a session through the W3C's API, whoever implements it. */
export interface ApiPair {
  readonly client: W3cWebTransport;
  readonly server: W3cWebTransport;
}

/** A server of one of the two implementations. */
export interface ApiServer {
  readonly url: string;
  /** SHA-256 of the certificate in hexadecimal. */
  readonly certificateHash: string;
  /** The next session. */
  next(): Promise<W3cWebTransport>;
  close(): Promise<void>;
}

export const hashOf = (hex: string) => ({ algorithm: "sha-256", value: Buffer.from(hex, "hex") });

/** A server of `@fails-components/webtransport` on a free port, not started yet. */
export async function createFailsServer(
  options: { readonly maxConnections?: number } = {},
): Promise<{ server: Http3Server; certificateHash: string }> {
  const { cert, key, hash } = await createCertificate({ hosts: ["127.0.0.1"] });
  const server = new Http3Server({
    host: "127.0.0.1",
    port: 0,
    secret: "not used",
    cert,
    privKey: key,
    defaultDatagramsReadableMode: "bytes",
    ...options,
  });
  return { server, certificateHash: hash };
}

async function startFailsServer(): Promise<ApiServer> {
  const { server, certificateHash } = await createFailsServer();
  server.startServer();
  const sessions = server.sessionStream("/").getReader();
  await server.ready;
  return {
    url: `https://127.0.0.1:${server.address()?.port}/`,
    certificateHash,
    async next() {
      const { value } = await sessions.read();
      if (value === undefined) throw new Error("the server takes no more sessions");
      await value.ready;
      return value as unknown as W3cWebTransport;
    },
    async close() {
      server.stopServer();
      await server.closed;
    },
  };
}

async function startOurServer(): Promise<ApiServer> {
  const server = await listen({ port: 0, engine: "quiche" });
  const waiting: ((session: W3cWebTransport) => void)[] = [];
  server.onSession((session) =>
    waiting.shift()?.(new SessionWebTransport(session) as unknown as W3cWebTransport),
  );
  return {
    url: server.url,
    certificateHash: server.certificateHash ?? "",
    next: () => new Promise((resolve) => waiting.push(resolve)),
    close: () => server.close(),
  };
}

/** A session of `@fails-components/webtransport`, without its fallback to HTTP/2. */
export async function connectFails(url: string, ...hashes: string[]): Promise<W3cWebTransport> {
  await quicheLoaded;
  const transport = new FailsWebTransport(url, {
    serverCertificateHashes: hashes.map(hashOf),
    requireUnreliable: true,
  });
  transport.closed.catch(() => {});
  await transport.ready;
  return transport as unknown as W3cWebTransport;
}

async function connectOurs(url: string, hash: string): Promise<W3cWebTransport> {
  const transport = new WebTransport(url, { serverCertificateHashes: [hashOf(hash)] });
  await transport.ready;
  return transport as unknown as W3cWebTransport;
}

/** Who plays against whom. */
export const combinations = [
  { name: "fails client, our server", connect: connectFails, start: startOurServer },
  { name: "our client, fails server", connect: connectOurs, start: startFailsServer },
  { name: "fails client, fails server", connect: connectFails, start: startFailsServer },
] as const;
