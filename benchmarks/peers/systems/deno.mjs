/* global Deno, WebTransport */
// Runs in Deno only, whose WebTransport (quinn) is at both ends.
export const about = "Deno's WebTransport, a bidirectional stream for each tensor, ended by its length";

/** Frame number and length of what follows, u32 each. */
const HEADER_BYTES = 8;
/**
 * Deno 2.9 sends no FIN when a stream is closed, and gives its place back only when it is collected as garbage
 * (denoland/deno#36822). So messages say their length, and the server allows many streams; quinn makes room for all of
 * them at the start, and with a million the first half a second stalls.
 */
const MAX_STREAMS = 20_000;

async function readMessage(readable) {
  const reader = readable.getReader();
  const parts = [];
  let length = 0;
  let wanted = HEADER_BYTES;
  while (length < wanted) {
    const { value, done } = await reader.read();
    if (done) throw new Error(`the stream ended after ${length} of ${wanted} bytes`);
    parts.push(value);
    length += value.length;
    if (wanted === HEADER_BYTES && length >= HEADER_BYTES) wanted += lengthIn(parts);
  }
  const message = join(parts, length);
  return { frame: new DataView(message.buffer).getUint32(0, true), bytes: message.subarray(HEADER_BYTES) };
}

/** The length in the header, whose bytes may stand in several parts. */
function lengthIn(parts) {
  const start = join(parts.map((part) => part.subarray(0, HEADER_BYTES)));
  return new DataView(start.buffer).getUint32(4, true);
}

function join(parts, length = parts.reduce((sum, part) => sum + part.length, 0)) {
  const bytes = new Uint8Array(length);
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}

async function writeMessage(writable, frame, bytes) {
  const header = new Uint8Array(HEADER_BYTES);
  const view = new DataView(header.buffer);
  view.setUint32(0, frame, true);
  view.setUint32(4, bytes.length, true);
  await writable.getWriter().write(join([header, bytes]));
}

async function answerStream({ readable, writable }, onTensor) {
  const { frame, bytes } = await readMessage(readable);
  await writeMessage(writable, frame, await onTensor(frame, bytes));
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
  const listener = endpoint.listen({
    cert,
    key,
    alpnProtocols: ["h3"],
    maxConcurrentBidirectionalStreams: MAX_STREAMS,
  });
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
      const answered = readMessage(readable);
      await writeMessage(writable, frame, bytes);
      return { answer: (await answered).bytes };
    },
    close: () => transport.close(),
  };
}
