import { connect as openSession, listen as startServer } from "../../../../packages/http3/dist/index.js";
import { pause } from "../usage.mjs";
import { wrapSession } from "./wrap-session.mjs";

// A queue of the engine holds many milliseconds of datagrams; asking more often would take CPU from its worker.
const ROOM_POLL_MS = 1;
const hasRoom = () => pause(ROOM_POLL_MS);

/** Our own engines, by the public API of `@sluice/http3`. */
export async function listen({ certificate, ...parameters }, onSession) {
  const server = await startServer({ port: 0, certificate, ...optionsOf(parameters) });
  server.onSession((session) => onSession(wrapSession(session, hasRoom)));
  return { url: server.url, certificateHash: server.certificateHash };
}

export async function connect({ url, certificateHash }, parameters) {
  const session = await openSession(url, { certificateHash, ...optionsOf(parameters) });
  return wrapSession(session, hasRoom);
}

const optionsOf = ({ engine, thread, maxPacketBytes }) => ({
  engine,
  ...(thread === undefined ? {} : { thread }),
  ...(maxPacketBytes === undefined ? {} : { maxPacketBytes }),
});
