/** A server and a client whose datagrams go over two seeded links, on virtual time. */
import { createServer, type OpenServedStream } from "@sluice/server";
import { createLink, createRandom, type LinkParameters } from "@sluice/simnet";
import { createMemoryPair, type Session, type TransportServer } from "@sluice/transport";
import type { VirtualTime } from "./virtual-time.js";

export interface LinkedSessionOptions {
  readonly time: VirtualTime;
  readonly seed: number;
  readonly path: LinkParameters;
  readonly openServedStream: OpenServedStream;
}

/** What IP and UDP add to a datagram. */
const headerBytes = 40;

export function createLinkedSession({ time, seed, path, openServedStream }: LinkedSessionOptions) {
  let accept: (session: Session) => void = () => {};
  const transport: TransportServer = {
    ...{ url: "memory:", certificateHash: undefined },
    onSession(handler) {
      const request = { path: "/", authority: "memory", headers: new Map(), remoteAddress: "memory" };
      accept = (session) => handler(session, request);
    },
    close: async () => {},
  };
  const server = createServer({ transport, openServedStream, clock: time });
  const random = createRandom(seed);
  const up = createLink(path, random.fork("up"));
  const down = createLink(path, random.fork("down"));
  const pair = createMemoryPair({ maxDatagramBytes: 1_200 });
  sendOver(pair.client, pair.server, up);
  sendOver(pair.server, pair.client, down);
  accept(pair.server);

  function sendOver(from: Session, to: Session, link: typeof up): void {
    let receive: (batch: readonly Uint8Array[]) => void = () => {};
    to.onDatagrams = (handler) => {
      receive = handler;
    };
    from.sendDatagram = (data) => {
      const verdict = link.offer(data.byteLength + headerBytes, time.now());
      const copy = data.slice();
      if (!("dropped" in verdict)) {
        time.schedule(verdict.deliverAtMs - time.now(), () => receive([copy]));
      }
      return "sent";
    };
  }

  return {
    client: pair.client,
    /** Changes both directions from now on. */
    setPath(change: LinkParameters) {
      for (const link of [up, down]) link.set(change, time.now());
    },
    close: () => server.close(),
  };
}
