import { createMemoryPair } from "../../../../packages/transport/dist/index.js";
import { wrapSession } from "./wrap-session.mjs";

const nextTurn = () => new Promise((resolve) => setImmediate(resolve));
let client;

/**
 * A pair in memory delivers by microtasks, so an echo would never let a timer run. Here every batch of datagrams
 * and every write on a stream takes a turn of the event loop, as one by a socket does.
 */
function takeTurns(session) {
  const slow = (stream) => ({
    write: (data) => nextTurn().then(() => stream.write(data)),
    onData: (handler) => stream.onData(handler),
  });
  return {
    ...session,
    onDatagrams: (handler) => session.onDatagrams((batch) => setImmediate(() => handler(batch))),
    openUnidirectional: async () => slow(await session.openUnidirectional()),
    openBidirectional: async () => slow(await session.openBidirectional()),
    onStream: (handler) => session.onStream((stream) => handler(slow(stream))),
  };
}

/** Both ends in this one process: what the interface itself costs. */
export async function listen({ datagramBytes }, onSession) {
  const pair = createMemoryPair({ maxDatagramBytes: datagramBytes ?? 1200 });
  client = pair.client;
  onSession(takeTurns(wrapSession(pair.server, nextTurn)));
  return {};
}

export async function connect() {
  return takeTurns(wrapSession(client, nextTurn));
}
