// What a W3C WebTransport client does in the interoperability tests. Runs in pages of Chromium and in Deno.
// Deno sends no end of stream: messages there are lines.

const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** A session to `url`, whose certificate has the SHA-256 `hash` (hexadecimal). */
async function open(url, hash) {
  const value = Uint8Array.from(hash.match(/../g), (pair) => Number.parseInt(pair, 16));
  const transport = new WebTransport(url, { serverCertificateHashes: [{ algorithm: "sha-256", value }] });
  transport.closed.catch(() => {});
  await transport.ready;
  return transport;
}

const hasStreamEnd = !("Deno" in globalThis);

/** The first line, or what came before the end. */
async function readLine(readable) {
  const reader = readable.getReader();
  const lineDecoder = new TextDecoder();
  let text = "";
  while (!text.includes("\n")) {
    const { value, done } = await reader.read();
    if (done) break;
    text += lineDecoder.decode(value, { stream: true });
  }
  reader.releaseLock();
  return text.replace(/\n$/, "");
}

/** Asks with a line on a new bidirectional stream, and returns the line that answers. */
async function ask(transport, text) {
  const stream = await transport.createBidirectionalStream();
  const writer = stream.writable.getWriter();
  await writer.write(encoder.encode(`${text}\n`));
  if (hasStreamEnd) await writer.close();
  return readLine(stream.readable);
}

async function readAll(readable) {
  const parts = [];
  for await (const part of readable) parts.push(part);
  return decoder.decode(await new Blob(parts).arrayBuffer());
}

/** One value from a stream of values. */
async function take(readable) {
  const reader = readable.getReader();
  const { value } = await reader.read();
  reader.releaseLock();
  return value;
}

async function send(writable, text) {
  const writer = writable.getWriter();
  await writer.write(encoder.encode(text));
  await writer.close();
}

/** The error that carries `code` to the peer. Chromium 156 takes one argument, the specification two. */
function streamError(message, streamErrorCode) {
  try {
    return new WebTransportError(message, { streamErrorCode });
  } catch {
    return new WebTransportError({ message, streamErrorCode });
  }
}

/** The code that `promise` fails with; Deno has it in the text, as HTTP/3 carries it. */
async function failureCode(promise) {
  try {
    await promise;
  } catch (error) {
    if (error.source === undefined) return String(error.message);
    return { source: error.source, code: error.streamErrorCode };
  }
  return "no failure";
}

/** Sends `count` numbered datagrams, eight at a time, and counts the numbers that come back. */
export async function echoDatagrams(url, hash, count) {
  const transport = await open(url, hash);
  const maxDatagramSize = transport.datagrams.maxDatagramSize;
  const writable = transport.datagrams.writable ?? transport.datagrams.createWritable();
  const writer = writable.getWriter();
  const reader = transport.datagrams.readable.getReader();
  const seen = new Set();
  const received = (async () => {
    while (seen.size < count) {
      const { value, done } = await reader.read();
      if (done) return;
      seen.add(new DataView(value.buffer, value.byteOffset).getUint32(0));
    }
  })();
  for (let i = 0; i < count; i++) {
    const datagram = new Uint8Array(1000);
    new DataView(datagram.buffer).setUint32(0, i);
    await writer.write(datagram);
    if (i % 8 === 7) await new Promise((resolve) => setTimeout(resolve, 1));
  }
  await Promise.race([received, new Promise((resolve) => setTimeout(resolve, 2000))]);
  transport.close();
  return { echoed: seen.size, maxDatagramSize };
}

/** Writes `text` and the end to a bidirectional stream, and returns what comes back before its end. */
export async function echoBidirectional(url, hash, text) {
  const transport = await open(url, hash);
  const stream = await transport.createBidirectionalStream();
  const [echoed] = await Promise.all([readAll(stream.readable), send(stream.writable, text)]);
  transport.close();
  return echoed;
}

/** Writes `text` to a unidirectional stream, and returns what the server says on one of its own. */
export async function echoUnidirectional(url, hash, text) {
  const transport = await open(url, hash);
  await send(await transport.createUnidirectionalStream(), `${text}\n`);
  const echoed = await readLine(await take(transport.incomingUnidirectionalStreams));
  transport.close();
  return echoed;
}

/** Answers each of `count` bidirectional streams that the server opens with its text in capitals. */
export async function answerBidirectional(url, hash, count) {
  const transport = await open(url, hash);
  const reader = transport.incomingBidirectionalStreams.getReader();
  const asked = [];
  for (let i = 0; i < count; i++) {
    const { value } = await reader.read();
    const text = await readLine(value.readable);
    asked.push(text);
    await send(value.writable, `${text.toUpperCase()}\n`);
  }
  // The last answer is on its way; the server asks for one more stream once it has it.
  await reader.read();
  transport.close();
  return asked;
}

/** Resets a stream, and stops one, each with its code. */
export async function abandonStreams(url, hash, resetCode, stopCode) {
  const transport = await open(url, hash);
  const reset = await transport.createBidirectionalStream();
  const writer = reset.writable.getWriter();
  await writer.write(encoder.encode("reset"));
  await take(reset.readable);
  await writer.abort(streamError("reset", resetCode));
  const stop = await transport.createBidirectionalStream();
  await stop.writable.getWriter().write(encoder.encode("stop"));
  await take(stop.readable);
  await stop.readable.cancel(streamError("stop", stopCode));
  await transport.closed;
}

/** Deno learns of a stop at its next write only. */
async function writeUntilFailure(writer) {
  for (;;) {
    await writer.write(new Uint8Array(1));
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

/** Reads from a stream that the server resets, and writes to one that it stops. */
export async function seeAbandoned(url, hash) {
  const transport = await open(url, hash);
  const reset = await transport.createBidirectionalStream();
  await reset.writable.getWriter().write(encoder.encode("reset"));
  const resetCode = await failureCode(readAll(reset.readable));
  const stop = await transport.createBidirectionalStream();
  const writer = stop.writable.getWriter();
  await writer.write(encoder.encode("stop"));
  const stopCode = await failureCode(hasStreamEnd ? writer.closed : writeUntilFailure(writer));
  transport.close();
  return { resetCode, stopCode };
}

/** `count` bidirectional streams, one after the other, each with its number; counts the right answers. */
export async function openManyStreams(url, hash, count) {
  const transport = await open(url, hash);
  let right = 0;
  for (let i = 0; i < count; i++) {
    if ((await ask(transport, `stream ${i}`)) === `stream ${i}`) right += 1;
  }
  transport.close();
  return right;
}

export async function closeSession(url, hash, closeCode, reason) {
  const transport = await open(url, hash);
  transport.close({ closeCode, reason });
  await transport.closed;
}

/** What `closed` says when the server closes. */
export async function seeClosed(url, hash) {
  const transport = await open(url, hash);
  const { closeCode, reason } = await transport.closed;
  return { closeCode, reason };
}

/** Opens a session after the other and exchanges a message in each. */
export async function reconnect(url, hash, times) {
  const answers = [];
  for (let i = 0; i < times; i++) {
    const transport = await open(url, hash);
    answers.push(await ask(transport, `session ${i}`));
    transport.close();
    await transport.closed;
  }
  return answers;
}

/** A refused session: whether `ready` and `closed` both fail. */
export async function seeRefused(url, hash) {
  return open(url, hash).then(
    () => "opened",
    () => "refused",
  );
}

/** Byte `i` of every transfer. */
function patternByte(i) {
  return (i * 31 + (i >> 16)) & 0xff;
}

/** Sends `bytes` bytes on one stream and returns the server's answer. */
export async function upload(url, hash, bytes) {
  const transport = await open(url, hash);
  const stream = await transport.createBidirectionalStream();
  const answer = readLine(stream.readable);
  const writer = stream.writable.getWriter();
  const chunkBytes = 1 << 18;
  for (let offset = 0; offset < bytes; offset += chunkBytes) {
    const chunk = new Uint8Array(Math.min(chunkBytes, bytes - offset));
    for (let i = 0; i < chunk.length; i++) chunk[i] = patternByte(offset + i);
    await writer.write(chunk);
  }
  if (hasStreamEnd) await writer.close();
  const text = await answer;
  transport.close();
  return text;
}

/** Reads one stream of the server to its end: how many bytes, and how many of them are wrong. */
export async function download(url, hash) {
  const transport = await open(url, hash);
  let bytes = 0;
  let wrong = 0;
  for await (const part of await take(transport.incomingUnidirectionalStreams)) {
    for (let i = 0; i < part.length; i++) if (part[i] !== patternByte(bytes + i)) wrong += 1;
    bytes += part.length;
  }
  transport.close();
  return { bytes, wrong };
}
