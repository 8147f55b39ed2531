// A UDP path to the server that ends from one moment to the next, as that of a client whose process was killed.
import { createSocket } from "node:dgram";

function bind(socket) {
  return new Promise((resolve) => socket.bind(0, "127.0.0.1", resolve));
}

/** @param port of the server on this machine */
export async function openForwarder(port) {
  const [down, up] = [createSocket("udp4"), createSocket("udp4")];
  await Promise.all([bind(down), bind(up)]);
  let client = 0;
  down.on("message", (packet, from) => {
    client = from.port;
    up.send(packet, port, "127.0.0.1");
  });
  up.on("message", (packet) => down.send(packet, client, "127.0.0.1"));
  // The server has gone, or it is cut.
  for (const socket of [down, up]) socket.on("error", () => {});
  return {
    port: down.address().port,
    /** From now on nothing passes, either way, and nobody listens there. */
    cut() {
      down.close();
      up.close();
    },
  };
}
