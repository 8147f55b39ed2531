import { setTimeout as delay } from "node:timers/promises";
import type { ProcessCensus } from "./census.js";
import { Child } from "./child.js";
import type { ServerAddress } from "./server-process.js";

/** Connections between two looks at the memory. */
export const CONNECTIONS_PER_LOOK = 100;
const POLL_MS = 100;

export interface ConnectionStormResult {
  readonly sequential: number;
  readonly concurrent: number;
  /** After each hundred of the connections, and one after the crowd. */
  readonly server: readonly ProcessCensus[];
  readonly client: readonly ProcessCensus[];
}

/** The process's census once nothing is open in it any more. */
async function settledCensus(child: Child): Promise<ProcessCensus> {
  for (;;) {
    const census = await child.call<ProcessCensus>("census");
    if (census.worker.connections + census.worker.sessions + census.worker.timers === 0) return census;
    await delay(POLL_MS); // Closed connections drain; only a limit of the whole test ends this.
  }
}

/** Opens sessions one after another, then many at once, and looks at what they leave behind. */
export async function runConnectionStorm(options: {
  sequential: number;
  concurrent: number;
}): Promise<ConnectionStormResult> {
  const { sequential, concurrent } = options;
  const server = new Child("server-process");
  const client = new Child("client-process");
  const result = { server: [] as ProcessCensus[], client: [] as ProcessCensus[] };
  const look = async () => {
    result.client.push(await settledCensus(client));
    result.server.push(await settledCensus(server));
  };
  try {
    const address = await server.call<ServerAddress>("listen", {
      maxConnections: 2 * concurrent + CONNECTIONS_PER_LOOK,
      handshakeTimeoutMs: 60_000,
    });
    for (let done = 0; done < sequential; done += CONNECTIONS_PER_LOOK) {
      await client.call("sequence", {
        server: address,
        count: Math.min(CONNECTIONS_PER_LOOK, sequential - done),
      });
      await look();
    }
    await client.call("crowd", { server: address, count: concurrent });
    await look();
    return { sequential, concurrent, ...result };
  } finally {
    await Promise.all([server.end(), client.end()]);
  }
}
