import { createSocket } from "node:dgram";
import { once } from "node:events";

/** As the engine `quiche` asks for; the kernel may grant less. */
const SOCKET_BUFFER_BYTES = 8 << 20;
/** Sends that may wait for their callback. */
const MAX_PENDING_SENDS = 512;

function open() {
  // Without it every send goes through DNS.
  const lookup = (address, _options, callback) => callback(null, address, 4);
  return createSocket({ type: "udp4", lookup });
}

function enlarge(socket) {
  socket.setRecvBufferSize(SOCKET_BUFFER_BYTES);
  socket.setSendBufferSize(SOCKET_BUFFER_BYTES);
}

function createSession(socket) {
  let pending = 0;
  let waiting;
  const handleSent = () => {
    pending -= 1;
    if (waiting === undefined || pending > MAX_PENDING_SENDS / 2) return;
    // What was sent at once is called back before the event loop turns: timers would never run.
    setImmediate(waiting);
    waiting = undefined;
  };
  socket.on("error", () => {});
  return {
    maxDatagramBytes: 65_507,
    sendDatagram(data) {
      if (pending >= MAX_PENDING_SENDS) return false;
      pending += 1;
      socket.send(data, handleSent);
      return true;
    },
    hasRoom: () =>
      new Promise((resolve) => {
        waiting = resolve;
      }),
    onDatagrams: (handler) => socket.on("message", (message) => handler([message])),
  };
}

/** Raw UDP by node:dgram, both sockets connected. The first datagram of a client is its hello. */
export async function listen(_parameters, onSession) {
  const socket = open();
  // With a lookup that answers at once the events can come before the call returns.
  const listening = once(socket, "listening");
  socket.bind(0, "127.0.0.1");
  await listening;
  enlarge(socket);
  socket.once("message", (hello, { port, address }) => {
    socket.connect(port, address, () => {
      onSession(createSession(socket));
      socket.send(hello);
    });
  });
  return { port: socket.address().port };
}

export async function connect({ port }) {
  const socket = open();
  const connected = once(socket, "connect");
  socket.connect(port, "127.0.0.1");
  await connected;
  enlarge(socket);
  const answered = once(socket, "message");
  socket.send("hello");
  await answered;
  return createSession(socket);
}
