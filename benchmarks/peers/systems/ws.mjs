import { once } from "node:events";
import { pack, unpack } from "msgpackr";
import { WebSocket, WebSocketServer } from "ws";
import { createPending } from "./framing.mjs";

/** The largest tensor that is measured, and its envelope. */
const MAX_MESSAGE_BYTES = 32 * 2 ** 20;

export const about = "ws and msgpackr, no compression, TCP_NODELAY (the library's default)";

export async function serve({ host, onTensor }) {
  const server = new WebSocketServer({
    host,
    port: 0,
    perMessageDeflate: false,
    maxPayload: MAX_MESSAGE_BYTES,
  });
  server.on("connection", (socket) => {
    socket.on("error", () => {});
    socket.on("message", async (message) => {
      const { frame, tensor } = unpack(message);
      const answer = await onTensor(frame, tensor);
      socket.send(pack({ frame, answer }));
    });
  });
  await once(server, "listening");
  return {
    address: { host, port: server.address().port },
    close() {
      for (const socket of server.clients) socket.terminate();
      server.close();
    },
  };
}

export async function connect({ host, port }) {
  const socket = new WebSocket(`ws://${host}:${port}`, { perMessageDeflate: false });
  const pending = createPending();
  socket.on("message", (message) => {
    const { frame, answer } = unpack(message);
    pending.answer(frame, answer);
  });
  await once(socket, "open");
  socket.on("error", (error) => pending.failAll(error));
  socket.on("close", () => pending.failAll(new Error("the WebSocket was closed")));
  return {
    send(frame, bytes) {
      const answered = pending.wait(frame);
      socket.send(pack({ frame, tensor: bytes }));
      return answered;
    },
    close: () => socket.terminate(),
  };
}
