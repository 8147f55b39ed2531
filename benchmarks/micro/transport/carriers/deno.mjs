/* global Deno, WebTransport */

/** Writes of datagrams that may wait. */
const MAX_PENDING_SENDS = 64;

async function consume(readable, handler) {
  try {
    const reader = readable.getReader();
    for (let { value, done } = await reader.read(); !done; { value, done } = await reader.read()) {
      handler(value);
    }
  } catch {
    // The end of a run closes the session under its readers.
  }
}

function wrapStream(writable, readable) {
  const writer = writable?.getWriter();
  return {
    async write(data) {
      await writer.ready;
      await writer.write(data);
    },
    onData: (handler) => void consume(readable, handler),
  };
}

function wrapTransport(transport) {
  const datagrams = transport.datagrams.writable.getWriter();
  let pending = 0;
  const handleSent = () => {
    pending -= 1;
  };
  return {
    maxDatagramBytes: transport.datagrams.maxDatagramSize,
    sendDatagram(data) {
      if (pending >= MAX_PENDING_SENDS) return false;
      pending += 1;
      datagrams.write(data).then(handleSent, handleSent);
      return true;
    },
    hasRoom: () => datagrams.ready,
    onDatagrams: (handler) => void consume(transport.datagrams.readable, (datagram) => handler([datagram])),
    openUnidirectional: async () => wrapStream(await transport.createUnidirectionalStream(), undefined),
    openBidirectional: async () => {
      const { writable, readable } = await transport.createBidirectionalStream();
      return wrapStream(writable, readable);
    },
    onStream: (handler) => {
      void consume(transport.incomingUnidirectionalStreams, (readable) =>
        handler(wrapStream(undefined, readable)),
      );
      void consume(transport.incomingBidirectionalStreams, ({ writable, readable }) =>
        handler(wrapStream(writable, readable)),
      );
    },
  };
}

/** Deno's own WebTransport (quinn), client and server. Runs in Deno only. */
export async function listen({ certificate: { cert, key, hash } }, onSession) {
  const endpoint = new Deno.QuicEndpoint({ hostname: "127.0.0.1", port: 0 });
  const listener = endpoint.listen({ cert, key, alpnProtocols: ["h3"] });
  void (async () => {
    const incoming = await listener.incoming();
    const transport = await Deno.upgradeWebTransport(await incoming.accept());
    transport.closed.catch(() => {});
    await transport.ready;
    onSession(wrapTransport(transport));
  })();
  return { url: `https://127.0.0.1:${endpoint.addr.port}/`, certificateHash: hash };
}

export async function connect({ url, certificateHash }) {
  const value = Uint8Array.from(certificateHash.match(/../g), (pair) => Number.parseInt(pair, 16));
  const transport = new WebTransport(url, { serverCertificateHashes: [{ algorithm: "sha-256", value }] });
  transport.closed.catch(() => {});
  await transport.ready;
  return wrapTransport(transport);
}
