import { SessionWebTransport, WebTransport, WebTransportError } from "@sluice/http3";
import { createMemoryPair, type Session } from "@sluice/transport";
import t from "tap";
import { startServer } from "./open-pair.js";

const text = (value: string) => new TextEncoder().encode(value);
const hashOf = (hex: string | undefined) => ({ algorithm: "sha-256", value: Buffer.from(hex ?? "", "hex") });

function wrapPair() {
  const pair = createMemoryPair();
  return { client: new SessionWebTransport(pair.client), server: new SessionWebTransport(pair.server), pair };
}

/** Code as it is written for a browser, with nothing of ours in it. */
async function browserCode(url: string, serverCertificateHashes: { algorithm: string; value: Buffer }[]) {
  const transport = new WebTransport(url, { serverCertificateHashes });
  await transport.ready;
  const writer = transport.datagrams.writable.getWriter();
  await writer.write(text("datagram"));
  const datagram = await transport.datagrams.readable.getReader().read();
  const { readable, writable } = await transport.createBidirectionalStream();
  const streamWriter = writable.getWriter();
  await streamWriter.write(text("stream"));
  await streamWriter.close();
  let answer = "";
  for await (const chunk of readable) answer += Buffer.from(chunk).toString();
  transport.close({ closeCode: 7, reason: "done" });
  return { datagram: Buffer.from(datagram.value ?? []).toString(), answer, closed: await transport.closed };
}

t.test("browser code runs in Node, with one of several hashes being the right one", async (t) => {
  const { server } = await startServer();
  t.teardown(() => server.close());
  const accepted = new Promise<Session>((resolve) => {
    server.onSession((session) => {
      session.onDatagrams((batch) => {
        for (const datagram of batch) session.sendDatagram(datagram);
      });
      session.onBidirectional(({ send, receive }) => {
        void (async () => {
          for (let chunk = await receive.read(); chunk !== undefined; chunk = await receive.read())
            await send.write(chunk);
          await send.finish();
        })();
      });
      resolve(session);
    });
  });
  const hashes = [
    hashOf("00".repeat(32)),
    { algorithm: "md5", value: Buffer.alloc(16) },
    hashOf(server.certificateHash),
  ];
  t.strictSame(await browserCode(`${server.url}/any`, hashes), {
    datagram: "datagram",
    answer: "stream",
    closed: { closeCode: 7, reason: "done" },
  });
  t.strictSame(await (await accepted).closed, { code: 7, reason: "done", by: "remote" });
});

t.test("wrong arguments are refused at once, as in a browser", async (t) => {
  t.throws(() => new WebTransport("nonsense"), { name: "SyntaxError" });
  t.throws(() => new WebTransport("http://a/"), { name: "SyntaxError" });
  t.throws(() => new WebTransport("https://a/#b"), { name: "SyntaxError" });
  const options = (algorithm: string, bytes: number) => ({
    serverCertificateHashes: [{ algorithm, value: new Uint8Array(bytes) }],
  });
  t.throws(() => new WebTransport("https://a/", options("md5", 16)), { name: "NotSupportedError" });
  t.throws(() => new WebTransport("https://a/", options("sha-256", 20)), /32 bytes, got 20/);
});

t.test("a session that does not open rejects ready and closed, and ends everything", async (t) => {
  const { server } = await startServer({ authorize: () => 403 });
  t.teardown(() => server.close());
  const transport = new WebTransport(server.url, {
    serverCertificateHashes: [hashOf(server.certificateHash)],
  });
  await t.rejects(transport.ready, /403/);
  await t.rejects(transport.closed, /403/);
  await t.rejects(transport.createUnidirectionalStream(), /403/);
  t.strictSame(await transport.datagrams.readable.getReader().read(), { done: true, value: undefined });
  await t.rejects(transport.incomingBidirectionalStreams.getReader().read(), /403/);
  t.equal(transport.reliability, "pending");
});

t.test("requireUnreliable refuses a WebSocket", async (t) => {
  const { server } = await startServer({ engine: "websocket" });
  t.teardown(() => server.close());
  const serverCertificateHashes = [hashOf(server.certificateHash)];
  const options = { serverCertificateHashes, node: { engine: "websocket" as const } };
  await t.rejects(
    new WebTransport(server.url, { ...options, requireUnreliable: true }).ready,
    /no datagrams/,
  );
  const reliable = new WebTransport(server.url, options);
  await reliable.ready;
  t.equal(reliable.reliability, "reliable-only");
  t.equal(reliable.datagrams.maxDatagramSize, 0);
  reliable.close();
});

t.test("errors of streams carry code and source", async (t) => {
  const { client, server } = wrapPair();
  const incoming = server.incomingUnidirectionalStreams.getReader();
  const writer = (await client.createUnidirectionalStream()).getWriter();
  const received = await incoming.read();
  await writer.abort(new WebTransportError("enough", { streamErrorCode: 4_000_000_000 }));
  const reset = await received.value
    ?.getReader()
    .read()
    .catch((error: unknown) => error);
  t.ok(reset instanceof WebTransportError && reset instanceof DOMException);
  t.match(reset, { name: "WebTransportError", source: "stream", streamErrorCode: 4_000_000_000 });

  const second = (await client.createUnidirectionalStream()).getWriter();
  const stopped = await incoming.read();
  await stopped.value?.cancel(new WebTransportError("", { streamErrorCode: 5 }));
  await t.rejects(second.write(text("x")), {
    name: "WebTransportError",
    source: "stream",
    streamErrorCode: 5,
  });

  const third = await client.createUnidirectionalStream();
  const open = await incoming.read();
  const pending = open.value
    ?.getReader()
    .read()
    .catch((error: unknown) => error);
  client.close({ closeCode: 1, reason: "bye" });
  t.match(await pending, { source: "session", streamErrorCode: null });
  await t.rejects(third.getWriter().write(text("x")), { name: "WebTransportError", source: "session" });
  t.strictSame(await server.closed, { closeCode: 1, reason: "bye" });
  t.strictSame(await incoming.read(), { done: true, value: undefined });
  await t.rejects(client.createUnidirectionalStream(), { name: "InvalidStateError" });
});

t.test("reads into the reader's own buffer, whole and at the end", async (t) => {
  const { client, server } = wrapPair();
  const writer = (await client.createUnidirectionalStream()).getWriter();
  const { value } = await server.incomingUnidirectionalStreams.getReader().read();
  const reader = value?.getReader({ mode: "byob" });
  const first = reader?.read(new Uint8Array(4));
  await writer.write(text("abcdef"));
  t.equal(Buffer.from((await first)?.value ?? []).toString(), "abcd");
  t.equal(Buffer.from((await reader?.read(new Uint8Array(4)))?.value ?? []).toString(), "ef");
  const last = reader?.read(new Uint8Array(4));
  await writer.close();
  t.equal((await last)?.done, true);
});

t.test("what may be written", async (t) => {
  const { client, server } = wrapPair();
  const writer = (await client.createUnidirectionalStream()).getWriter();
  const { value } = await server.incomingUnidirectionalStreams.getReader().read();
  const reader = value?.getReader();
  const whole = Uint16Array.of(0x6161, 0x6262, 0x6363);
  void writer.write(whole.subarray(1, 2));
  t.equal(Buffer.from((await reader?.read())?.value ?? []).toString(), "bb");
  void writer.write(text("cc").buffer);
  t.equal(Buffer.from((await reader?.read())?.value ?? []).toString(), "cc");
  await t.rejects(writer.write("text" as unknown as Uint8Array), TypeError);
});

t.test(
  "datagrams that nobody reads push out the oldest; too big ones vanish, as the standard says",
  async (t) => {
    const { client, server } = wrapPair();
    await Promise.all([client.ready, server.ready]);
    server.datagrams.incomingMaxBufferedDatagrams = 2;
    const writer = client.datagrams.createWritable().getWriter();
    for (let i = 0; i < 5; i++) await writer.write(Uint8Array.of(i));
    await writer.write(new Uint8Array(client.datagrams.maxDatagramSize + 1));
    const reader = server.datagrams.readable.getReader();
    t.strictSame([...((await reader.read()).value ?? [])], [3]);
    t.strictSame([...((await reader.read()).value ?? [])], [4]);
    t.strictSame((await server.getStats()).datagrams, { droppedIncoming: 3, expiredOutgoing: 0 });
  },
);

t.test("a close before the session is open closes it when it opens", async (t) => {
  const pair = createMemoryPair();
  const transport = new SessionWebTransport(Promise.resolve(pair.client));
  transport.close({ closeCode: 3, reason: "early" });
  t.strictSame(await pair.server.closed, { code: 3, reason: "early", by: "remote" });
  t.strictSame(await transport.closed, { closeCode: 3, reason: "early" });
});
