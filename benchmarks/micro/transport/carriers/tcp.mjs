import { once } from "node:events";
import { createServer, connect as openSocket } from "node:net";

function createStream(socket) {
  socket.setNoDelay(true);
  socket.on("error", () => {});
  return {
    async write(data) {
      if (!socket.write(data)) await once(socket, "drain");
    },
    onData: (handler) => socket.on("data", handler),
  };
}

/** Raw TCP by node:net. A stream is a connection of its own. */
export async function listen(_parameters, onSession) {
  let handler = () => {};
  const server = createServer((socket) => handler(createStream(socket)));
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  onSession({
    maxDatagramBytes: 0,
    onStream: (next) => {
      handler = next;
    },
  });
  return { port: server.address().port };
}

export async function connect({ port }) {
  const openStream = async () => {
    const socket = openSocket(port, "127.0.0.1");
    await once(socket, "connect");
    return createStream(socket);
  };
  return { maxDatagramBytes: 0, openUnidirectional: openStream, openBidirectional: openStream };
}
