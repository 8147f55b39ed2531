import { type ConnectOptions, connect, type Http3Server, type ListenOptions, listen } from "@sluice/http3";
import type { CompliancePair, Session } from "@sluice/transport";

/** A server on a free port of the loopback interface, and what opens sessions to it. */
export interface TestServer {
  readonly server: Http3Server;
  open(options?: ConnectOptions): Promise<CompliancePair>;
}

/** Starts a server; `open` connects and waits for both ends. */
export async function startServer(options: Partial<ListenOptions> = {}): Promise<TestServer> {
  const server = await listen({ port: 0, ...options });
  const waiting: ((session: Session) => void)[] = [];
  server.onSession((session) => waiting.shift()?.(session));
  return {
    server,
    async open(connectOptions = {}) {
      const arrived = new Promise<Session>((resolve) => waiting.push(resolve));
      const client = await connect(server.url, {
        certificateHash: server.certificateHash ?? "",
        ...connectOptions,
      });
      return { client, server: await arrived };
    },
  };
}
