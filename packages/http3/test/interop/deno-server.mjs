// A WebTransport server in Deno that echoes: deno run ... deno-server.mjs CERTIFICATE_PEM KEY_PEM
// Prints its port first, then what it sees of sessions that end. A line "close" on a stream makes it close.

const [cert, key] = Deno.args;
const endpoint = new Deno.QuicEndpoint({ hostname: "127.0.0.1", port: 0 });
const listener = endpoint.listen({ cert, key, alpnProtocols: ["h3"] });
console.log(endpoint.addr.port);

const decoder = new TextDecoder();

async function echoDatagrams({ readable, writable }) {
  const writer = writable.getWriter();
  for await (const datagram of readable) await writer.write(datagram);
}

async function echoBidirectional(transport) {
  for await (const { readable, writable } of transport.incomingBidirectionalStreams) {
    const writer = writable.getWriter();
    (async () => {
      for await (const part of readable) {
        if (decoder.decode(part) === "close\n") transport.close({ closeCode: 77, reason: "asked to" });
        else await writer.write(part);
      }
    })().catch(() => {});
  }
}

async function echoUnidirectional(transport) {
  for await (const readable of transport.incomingUnidirectionalStreams) {
    const writable = await transport.createUnidirectionalStream();
    const writer = writable.getWriter();
    (async () => {
      for await (const part of readable) await writer.write(part);
    })().catch(() => {});
  }
}

for await (const incoming of listener) {
  (async () => {
    const transport = await Deno.upgradeWebTransport(await incoming.accept());
    await transport.ready;
    for (const echo of [
      echoDatagrams(transport.datagrams),
      echoBidirectional(transport),
      echoUnidirectional(transport),
    ]) {
      echo.catch(() => {});
    }
    const { closeCode, reason } = await transport.closed;
    console.log(`closed ${closeCode} ${reason}`);
  })().catch((error) => console.log(String(error)));
}
