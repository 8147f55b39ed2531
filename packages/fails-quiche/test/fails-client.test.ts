import { WebTransport } from "@fails-components/webtransport";
import { type ListenOptions, listen } from "@sluice/http3";
import type { Session } from "@sluice/transport";
import t, { type Test } from "tap";
import { connectFails, hashOf } from "./api-pairs.js";

async function start(t: Test, options: Partial<ListenOptions> = {}) {
  const server = await listen({ port: 0, engine: "quiche", ...options });
  t.teardown(() => server.close());
  const session = new Promise<Session>((resolve) => server.onSession(resolve));
  return { url: server.url, hash: server.certificateHash ?? "", session };
}

const OPENING_FAILED = /Opening handshake failed/;

t.test("one of several hashes must be the certificate's", async (t) => {
  const { url, hash } = await start(t);
  const wrong = "00".repeat(32);
  (await connectFails(url, wrong, hash)).close();
  await t.rejects(connectFails(url, wrong), OPENING_FAILED);
});

t.test("without a hash the system's roots decide", async (t) => {
  const { url } = await start(t);
  await t.rejects(connectFails(url), OPENING_FAILED);
});

t.test("a refusal, a silence and a malformed hash reject ready and closed", async (t) => {
  const { url, hash } = await start(t, { authorize: () => 403 });
  const silent = await start(t, { authorize: () => new Promise(() => {}) });
  const attempts = [
    [url, { serverCertificateHashes: [hashOf(hash)] }],
    [silent.url, { serverCertificateHashes: [hashOf(silent.hash)], quicConnectTimeout: 300 }],
    [url, { serverCertificateHashes: [hashOf("12")] }],
    [url, { localPort: 4433 }],
  ] as const;
  for (const [at, options] of attempts) {
    const transport = new WebTransport(at, {
      ...options,
      serverCertificateHashes: [
        ...("serverCertificateHashes" in options ? options.serverCertificateHashes : []),
      ],
      requireUnreliable: true,
    });
    await Promise.all([
      t.rejects(transport.ready, OPENING_FAILED),
      t.rejects(transport.closed, OPENING_FAILED),
    ]);
  }
});

t.test("a reader's own buffer is filled, at the end of the stream too", async (t) => {
  const { url, hash, session } = await start(t);
  const client = await connectFails(url, hash);
  const { value: incoming } = await (async () => {
    const send = await (await session).openUnidirectional();
    await send.write(new Uint8Array(100).map((_, i) => i));
    await send.finish();
    return client.incomingUnidirectionalStreams.getReader().read();
  })();
  const reader = (incoming as unknown as ReadableStream<Uint8Array>).getReader({ mode: "byob" });
  const got: number[] = [];
  for (;;) {
    const { done, value } = await reader.read(new Uint8Array(7));
    if (done) break;
    t.ok(value.byteLength <= 7);
    got.push(...value);
  }
  t.strictSame(
    got,
    Array.from({ length: 100 }, (_, i) => i),
  );
  client.close();
});

t.test("what nobody reads is bounded", async (t) => {
  const { url, hash, session } = await start(t);
  const client = await connectFails(url, hash);
  const server = await session;
  // More than the limits, in steps that the queues below can hold.
  for (let sent = 0; sent < 3000; ) {
    if (server.sendDatagram(new Uint8Array([1])) === "sent") sent += 1;
    else await new Promise((resolve) => setImmediate(resolve));
  }
  for (let i = 0; i < 400; i++) {
    const send = await server.openUnidirectional();
    await send.write(new Uint8Array([1]));
    await send.finish();
  }
  // What comes after them says that they are there.
  const { send } = await server.openBidirectional();
  await send.write(new Uint8Array([1]));
  await client.incomingBidirectionalStreams.getReader().read();
  const datagrams = client.datagrams.readable.getReader();
  const streams = client.incomingUnidirectionalStreams.getReader();
  let waitingDatagrams = 0;
  let waitingStreams = 0;
  const reading = Promise.all([
    (async () => {
      while (!(await datagrams.read()).done) waitingDatagrams += 1;
    })(),
    (async () => {
      while (!(await streams.read()).done) waitingStreams += 1;
    })(),
  ]);
  await new Promise((resolve) => setImmediate(resolve));
  t.ok(waitingDatagrams > 0 && waitingDatagrams <= 1025, `${waitingDatagrams} datagrams waited`);
  t.ok(waitingStreams > 0 && waitingStreams <= 257, `${waitingStreams} streams waited`);
  client.close();
  await reading;
});

t.test("an application that wants no streams and no datagrams still sees the end", async (t) => {
  const { url, hash, session } = await start(t);
  const client = await connectFails(url, hash);
  const transport = client as unknown as WebTransport;
  await transport.incomingUnidirectionalStreams.cancel();
  await transport.incomingBidirectionalStreams.cancel();
  await transport.datagrams.readable.cancel();
  const server = await session;
  const { send, receive } = await server.openBidirectional();
  await send.write(new Uint8Array([1]));
  await t.rejects(receive.read(), { name: "StreamError", kind: "reset" });
  server.sendDatagram(new Uint8Array([1]));
  server.close(5, "bye");
  t.strictSame({ ...(await client.closed) }, { closeCode: 5, reason: "bye" });
});
