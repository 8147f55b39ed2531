import type { WorkerCensus } from "./messages.js";
import type { ServerEndpoint } from "./server-endpoint.js";
import type { SessionRegistry } from "./session-registry.js";
import type { TurnLoop } from "./turn-loop.js";

/** Counts; where Node runs with `--expose-gc`, after a collection. */
export function takeCensus(
  servers: Iterable<ServerEndpoint>,
  sessions: SessionRegistry,
  loop: TurnLoop,
): WorkerCensus {
  let connections = 0;
  let connectionIds = 0;
  for (const server of servers) {
    connections += server.connectionCount;
    connectionIds += server.connectionIdCount;
  }
  (globalThis as { gc?: () => void }).gc?.();
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return {
    connections,
    connectionIds,
    sessions: sessions.size,
    timers: loop.timerCount,
    heapUsedBytes: heapUsed,
    arrayBufferBytes: arrayBuffers,
  };
}
