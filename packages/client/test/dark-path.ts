/** Sessions in memory whose path goes dark: datagrams are lost, streams and new sessions wait. */
import type { BidirectionalStream, Clock, MemoryPair, Session } from "@sluice/transport";
import { ConnectError } from "@sluice/transport";

export interface DarkPath {
  /** Nothing comes through, either way. */
  isDark: boolean;
  /** Resolves once it is not. */
  light(): Promise<void>;
}

const lookEveryMs = 5;
/** As `connect` of `@sluice/http3` has it. */
const connectTimeoutMs = 5_000;

export function createDarkPath(clock: Clock): DarkPath {
  const path: DarkPath = {
    isDark: false,
    async light() {
      while (path.isDark) await new Promise<void>((resolve) => clock.schedule(lookEveryMs, resolve));
    },
  };
  return path;
}

/** Puts a path between the ends of a pair. */
export function darken({ client, server }: MemoryPair, path: DarkPath): void {
  for (const session of [client, server] as Session[]) {
    const send = session.sendDatagram.bind(session);
    session.sendDatagram = (data) => (path.isDark ? "sent" : send(data));
  }
  const slow = (stream: BidirectionalStream): BidirectionalStream => {
    const write = stream.send.write.bind(stream.send);
    stream.send.write = async (data) => {
      await path.light();
      await write(data);
    };
    return stream;
  };
  const open = client.openBidirectional.bind(client);
  client.openBidirectional = async () => slow(await open());
  const take = server.onBidirectional.bind(server);
  server.onBidirectional = (handler) => take((stream) => handler(slow(stream)));
}

/** What an attempt to connect does over a path: it waits for light, and gives up after a while. */
export async function connectOver<T>(path: DarkPath, clock: Clock, connect: () => T): Promise<T> {
  const givesUpMs = clock.now() + connectTimeoutMs;
  while (path.isDark) {
    if (clock.now() >= givesUpMs) throw new ConnectError("timeout", "no answer");
    await new Promise<void>((resolve) => clock.schedule(lookEveryMs, resolve));
  }
  return connect();
}
