import { connect as openSession, listen as startServer } from "../../../../packages/http3/dist/index.js";
import { pause } from "../usage.mjs";
import { wrapSession } from "./wrap-session.mjs";

// A queue of the engine holds many milliseconds of datagrams; asking more often would take CPU from its worker.
const ROOM_POLL_MS = 1;
const hasRoom = () => pause(ROOM_POLL_MS);

/** Our own engines, by the public API of `@sluice/http3`. */
export async function listen({ engine, maxPacketBytes, certificate }, onSession) {
  const server = await startServer({ port: 0, engine, certificate, ...packetBytes(maxPacketBytes) });
  server.onSession((session) => onSession(wrapSession(session, hasRoom)));
  return { url: server.url, certificateHash: server.certificateHash };
}

export async function connect({ url, certificateHash }, { engine, maxPacketBytes }) {
  const session = await openSession(url, { certificateHash, engine, ...packetBytes(maxPacketBytes) });
  return wrapSession(session, hasRoom);
}

const packetBytes = (maxPacketBytes) => (maxPacketBytes === undefined ? {} : { maxPacketBytes });
