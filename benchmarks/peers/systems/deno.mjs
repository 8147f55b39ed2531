/* global Deno, WebTransport */
// Runs in Deno only, whose WebTransport (quinn) is at both ends.
import { unpackFrame } from "./framing.mjs";

export const about = "Deno's WebTransport, a bidirectional stream for each tensor";

const HEADER_BYTES = 4;

async function readAll(readable) {
  const parts = [];
  let length = 0;
  for await (const part of readable) {
    parts.push(part);
    length += part.length;
  }
  const bytes = new Uint8Array(length);
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}

async function writeAll(writable, ...parts) {
  const writer = writable.getWriter();
  for (const part of parts) await writer.write(part);
  await writer.close();
}

async function answerStream({ readable, writable }, onTensor) {
  const { frame, bytes } = unpackFrame(await readAll(readable));
  await writeAll(writable, await onTensor(frame, bytes));
}

async function serveSession(incoming, onTensor) {
  const transport = await Deno.upgradeWebTransport(await incoming.accept());
  transport.closed.catch(() => {});
  await transport.ready;
  for await (const stream of transport.incomingBidirectionalStreams) {
    // A stream that the client has given up concerns nobody else.
    answerStream(stream, onTensor).catch(() => {});
  }
}

/** @param {{ certificate: { cert: string, key: string, hash: string } }} options from `createCertificate` of http3 */
export async function serve({ host, onTensor, certificate: { cert, key, hash } }) {
  const endpoint = new Deno.QuicEndpoint({ hostname: host, port: 0 });
  const listener = endpoint.listen({ cert, key, alpnProtocols: ["h3"] });
  void (async () => {
    for await (const incoming of listener) serveSession(incoming, onTensor).catch(() => {});
  })().catch(() => {});
  return {
    address: { url: `https://${host}:${endpoint.addr.port}/`, certificateHash: hash },
    close: () => endpoint.close(),
  };
}

export async function connect({ url, certificateHash }) {
  const value = Uint8Array.from(certificateHash.match(/../g), (pair) => Number.parseInt(pair, 16));
  const transport = new WebTransport(url, { serverCertificateHashes: [{ algorithm: "sha-256", value }] });
  transport.closed.catch(() => {});
  await transport.ready;
  return {
    async send(frame, bytes) {
      const { readable, writable } = await transport.createBidirectionalStream();
      const header = new Uint8Array(HEADER_BYTES);
      new DataView(header.buffer).setUint32(0, frame, true);
      const answered = readAll(readable);
      await writeAll(writable, header, bytes);
      return { answer: await answered };
    },
    close: () => transport.close(),
  };
}
