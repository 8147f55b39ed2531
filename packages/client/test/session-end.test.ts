/** How the drivers of both ends notice that a session is over (spec 2.5, 5.7). */
import { createClient } from "@sluice/client";
import { ErrorCode } from "@sluice/protocol";
import { createServer, createSinkModel } from "@sluice/server";
import {
  type BidirectionalStream,
  createMemoryPair,
  type Session,
  type TransportServer,
} from "@sluice/transport";
import t from "tap";
import { createVirtualTime } from "./virtual-time.js";

/** A server, a client and a hand on the control stream between them, on virtual time. */
async function connect(maxDatagramBytes = 1_200) {
  const clock = createVirtualTime();
  let accept: (session: Session) => void = () => {};
  const transport: TransportServer = {
    ...{ url: "memory:", certificateHash: undefined },
    onSession(handler) {
      accept = (session) =>
        handler(session, { path: "/", authority: "", headers: new Map(), remoteAddress: "" });
    },
    close: async () => {},
  };
  const sink = createSinkModel();
  const server = createServer({ transport, openServedStream: async () => sink, clock });
  const pair = createMemoryPair({ maxDatagramBytes });
  let clientControl: BidirectionalStream | undefined;
  let serverControl: BidirectionalStream | undefined;
  const { openBidirectional } = pair.client;
  pair.client.openBidirectional = async () => {
    clientControl = await openBidirectional.call(pair.client);
    return clientControl;
  };
  const { onBidirectional } = pair.server;
  pair.server.onBidirectional = (handler) =>
    onBidirectional.call(pair.server, (stream) => {
      serverControl ??= stream;
      handler(stream);
    });
  accept(pair.server);
  const connecting = createClient(pair.client, { clock });
  await clock.advance(1);
  const client = await connecting;
  return { clock, server, client, pair, clientControl: clientControl!, serverControl: serverControl! };
}

type Joined = Awaited<ReturnType<typeof connect>>;

const ends: Record<string, (joined: Joined) => unknown> = {
  "the client finishes it": ({ clientControl }) => clientControl.send.finish(),
  "the client resets it": ({ clientControl }) => clientControl.send.reset(9),
  "the client stops it": ({ clientControl }) => clientControl.receive.stop(9),
  "the server finishes it": ({ serverControl }) => serverControl.send.finish(),
  "the server resets it": ({ serverControl }) => serverControl.send.reset(9),
  "the server stops it": ({ serverControl }) => serverControl.receive.stop(9),
};

for (const [name, end] of Object.entries(ends)) {
  t.test(`the control stream ends: ${name}`, async (t) => {
    const joined = await connect();
    await joined.clock.advance(1_000);
    await end(joined);
    // Pings make the writer notice a stop.
    await joined.clock.advance(2_000);
    t.match(await joined.client.closed, { code: ErrorCode.none, reason: /control stream ended/ });
    t.equal(joined.server.sessions, 0);
    t.match(await joined.pair.server.closed, { code: ErrorCode.none });
  });
}

t.test("a close right behind the end of the control stream keeps its code", async (t) => {
  const joined = await connect();
  joined.serverControl.send.reset(0);
  await joined.clock.advance(100);
  joined.pair.server.close(ErrorCode.overloaded, "too much");
  await joined.clock.advance(1_000);
  t.match(await joined.client.closed, { code: ErrorCode.overloaded, reason: "too much" });
});

for (const maxDatagramBytes of [1_200, 0]) {
  t.test(`a peer that is gone without a word is missed by both ends (${maxDatagramBytes})`, async (t) => {
    for (const silent of ["client", "server"] as const) {
      const joined = await connect(maxDatagramBytes);
      await joined.clock.advance(30_000);
      t.equal(joined.server.sessions, 1, "pings keep an idle session alive");
      // Nothing that this end says comes through any more.
      joined.pair[silent].sendDatagram = () => "sent";
      joined[`${silent}Control`].send.write = async () => {};
      await joined.clock.advance(29_000);
      const other = silent === "client" ? joined.pair.client : joined.pair.server;
      t.match(await other.closed, { code: ErrorCode.peerSilent, by: "remote" }, `the ${silent} is silent`);
      t.equal(joined.server.sessions, 0);
    }
  });
}
