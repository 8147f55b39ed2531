/** A server and clients joined in memory, for tests that need no network. */
import { createServer, createSinkModel, type OpenServedStream, type ServerOptions } from "@sluice/server";
import {
  createMemoryPair,
  type MemoryPair,
  type Session,
  type SessionRequest,
  type TransportServer,
} from "@sluice/transport";

export function createMemoryServer(options: Partial<ServerOptions> = {}) {
  let accept: (session: Session, request: SessionRequest) => void = () => {};
  const transport: TransportServer = {
    ...{ url: "memory:", certificateHash: undefined },
    onSession(handler) {
      accept = handler;
    },
    close: async () => {},
  };
  const sink = createSinkModel();
  const openServedStream: OpenServedStream = async () => sink;
  const server = createServer({ transport, openServedStream, ...options });
  function connectPair(maxDatagramBytes = 1_200, prepare?: (pair: MemoryPair) => void): MemoryPair {
    const pair = createMemoryPair({ maxDatagramBytes });
    prepare?.(pair);
    const request = { path: "/", authority: "memory", headers: new Map(), remoteAddress: "memory" };
    accept(pair.server, request);
    return pair;
  }
  return {
    server,
    connectPair,
    connect: (maxDatagramBytes?: number) => connectPair(maxDatagramBytes).client,
  };
}
