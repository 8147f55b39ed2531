import { createSocket, type Socket } from "node:dgram";

/** A UDP path to a server that remembers what the client sent, and lets a test decide what passes. */
export interface UdpTap {
  /** Where clients connect to. */
  readonly port: number;
  /** What the server sees as the client. */
  readonly upstream: Socket;
  /** Datagrams from the client, in order. */
  readonly sent: Buffer[];
  /** UDP payload that came from the server, in bytes. */
  receivedBytes: number;
  /** Whether a datagram passes. Default: all do. */
  passesUp: (datagram: Buffer) => boolean;
  passesDown: (datagram: Buffer) => boolean;
  close(): void;
}

/** Opens a tap on the loopback interface in front of `serverPort`. */
export async function openUdpTap(serverPort: number): Promise<UdpTap> {
  const downstream = createSocket("udp4");
  const upstream = createSocket("udp4");
  await Promise.all(
    [downstream, upstream].map(
      (socket) => new Promise<void>((resolve) => socket.bind(0, "127.0.0.1", resolve)),
    ),
  );
  let clientPort = 0;
  const tap: UdpTap = {
    port: downstream.address().port,
    upstream,
    sent: [],
    receivedBytes: 0,
    passesUp: () => true,
    passesDown: () => true,
    close() {
      downstream.close();
      upstream.close();
    },
  };
  downstream.on("message", (datagram, from) => {
    clientPort = from.port;
    tap.sent.push(datagram);
    if (tap.passesUp(datagram)) upstream.send(datagram, serverPort, "127.0.0.1");
  });
  upstream.on("message", (datagram) => {
    tap.receivedBytes += datagram.byteLength;
    if (tap.passesDown(datagram)) downstream.send(datagram, clientPort, "127.0.0.1");
  });
  return tap;
}
