import { once } from "node:events";
import { createRequire } from "node:module";
import { connect as connectTcp, createServer, type Socket } from "node:net";
import { connect as connectTls } from "node:tls";
import { connect, listen } from "@sluice/http3";
import { MUX_PROTOCOL, type Session, VIOLATION_CLOSE_CODE } from "@sluice/transport";
import t from "tap";
import { issueCertificate } from "./issue-certificate.js";
import { startServer } from "./open-pair.js";

const engine = "websocket" as const;

t.test("a certificate is judged as with QUIC", async (t) => {
  const { server: selfSigned } = await startServer({ engine });
  t.teardown(() => selfSigned.close());
  const expected = "0".repeat(64);
  await t.rejects(connect(selfSigned.url, { engine, certificateHash: expected }), {
    name: "ConnectError",
    kind: "certificate",
    message: new RegExp(`${selfSigned.certificateHash}, expected ${expected}`),
  });
  await t.rejects(connect(selfSigned.url, { engine }), { name: "ConnectError", kind: "certificate" });

  const { ca, cert, key } = await issueCertificate("127.0.0.1");
  const { server } = await startServer({ engine, certificate: { cert, key } });
  t.teardown(() => server.close());
  (await connect(server.url, { engine, ca })).close();
  const other = await issueCertificate("127.0.0.1");
  await t.rejects(connect(server.url, { engine, ca: other.ca }), {
    name: "ConnectError",
    kind: "certificate",
  });

  const foreign = await issueCertificate("10.1.2.3");
  const { server: misnamed } = await startServer({
    engine,
    certificate: { cert: foreign.cert, key: foreign.key },
  });
  t.teardown(() => misnamed.close());
  await t.rejects(connect(misnamed.url, { engine, ca: foreign.ca }), {
    name: "ConnectError",
    kind: "certificate",
  });
  (await connect(misnamed.url, { engine, insecure: true })).close();
});

t.test("nothing of the request leaves before the certificate is judged", async (t) => {
  let requests = 0;
  const { server } = await startServer({
    engine,
    authorize: () => {
      requests += 1;
      return 403;
    },
  });
  t.teardown(() => server.close());
  const headers = { authorization: "Bearer secret" };
  await t.rejects(connect(server.url, { engine, headers, certificateHash: "0".repeat(64) }), {
    name: "ConnectError",
    kind: "certificate",
  });
  t.equal(requests, 0);
});

t.test("the server decides by path, headers and number", async (t) => {
  const { server } = await startServer({
    engine,
    path: "/sluice",
    maxConnections: 1,
    authorize: ({ headers, path, authority, remoteAddress }) => {
      if (path.endsWith("throw")) throw new Error("broken");
      t.equal(`https://${authority}`, server.url);
      t.match(remoteAddress, /^127\.0\.0\.1:\d+$/);
      return headers.get("authorization") === "Bearer good" ? true : 403;
    },
  });
  t.teardown(() => server.close());
  const certificateHash = server.certificateHash ?? "";
  const attempt = (path: string, authorization: string) =>
    connect(server.url + path, { engine, certificateHash, headers: { authorization } });
  for (const [path, authorization, status] of [
    ["/other", "Bearer good", /404/],
    ["/sluice", "Bearer bad", /403/],
    ["/sluice?throw", "Bearer good", /500/],
  ] as const) {
    await t.rejects(attempt(path, authorization), { kind: "rejected", message: status });
  }
  const session = await attempt("/sluice?x=1", "Bearer good");
  await t.rejects(attempt("/sluice", "Bearer good"), { kind: "rejected", message: /503/ });
  session.close();
});

t.test("a server that never answers, and one that speaks no TLS", async (t) => {
  const sockets: Socket[] = [];
  let isMute = true;
  const plain = createServer((socket) => {
    sockets.push(socket);
    socket.on("error", () => {});
    if (!isMute) socket.end("HTTP/1.1 400 Bad Request\r\n\r\n");
  });
  await new Promise<void>((resolve) => plain.listen(0, "127.0.0.1", resolve));
  t.teardown(() => {
    for (const socket of sockets) socket.destroy();
    plain.close();
  });
  const address = plain.address();
  const port = typeof address === "object" ? address?.port : 0;
  const url = `https://127.0.0.1:${port}/`;
  await t.rejects(connect(url, { engine, insecure: true, timeoutMs: 200 }), {
    kind: "timeout",
    message: /200 ms/,
  });
  isMute = false;
  await t.rejects(connect(url, { engine, insecure: true }), {
    kind: "refused",
    message: /refused the connection/,
  });
});

t.test("a port that is taken, and plain HTTP requests", async (t) => {
  const { server } = await startServer({ engine });
  t.teardown(() => server.close());
  const port = Number(new URL(server.url).port);
  await t.rejects(listen({ port, engine }), { kind: "engine", message: /EADDRINUSE/ });
  const socket = connectTls({ host: "127.0.0.1", port, rejectUnauthorized: false });
  socket.end("GET / HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n");
  const chunks: Buffer[] = [];
  socket.on("data", (chunk: Buffer) => chunks.push(chunk));
  await once(socket, "end");
  t.match(Buffer.concat(chunks).toString(), /^HTTP\/1\.1 426 /);
});

t.test("closing the server ends its sessions with code and reason, and frees the port", async (t) => {
  const { server, open } = await startServer({ engine });
  const pair = await open({ engine });
  await server.close(5, "maintenance");
  t.strictSame(await pair.client.closed, { code: 5, reason: "maintenance", by: "remote" });
  t.strictSame(await pair.server.closed, { code: 5, reason: "maintenance", by: "local" });
  const port = Number(new URL(server.url).port);
  await (await listen({ port, engine })).close();
});

t.test("a connection without a sign of life ends", async (t) => {
  // Forwards the first bytes, then nothing: a path that went dead without a word.
  const { server } = await startServer({ engine, idleTimeoutMs: 300 });
  t.teardown(() => server.close());
  const sockets: Socket[] = [];
  let isDead = false;
  const proxy = createServer((near) => {
    const far = connectTcp(Number(new URL(server.url).port), "127.0.0.1");
    sockets.push(near, far);
    for (const socket of [near, far]) socket.on("error", () => {});
    near.on("data", (chunk) => isDead || far.write(chunk));
    far.on("data", (chunk) => isDead || near.write(chunk));
  });
  await new Promise<void>((resolve) => proxy.listen(0, "127.0.0.1", resolve));
  t.teardown(() => {
    for (const socket of sockets) socket.destroy();
    proxy.close();
  });
  const address = proxy.address();
  const port = typeof address === "object" ? address?.port : 0;
  const arrived = new Promise<Session>((resolve) => server.onSession(resolve));
  const client = await connect(`https://127.0.0.1:${port}/`, {
    engine,
    certificateHash: server.certificateHash ?? "",
    idleTimeoutMs: 300,
  });
  const accepted = await arrived;
  isDead = true;
  t.match(await client.closed, { by: "transport", reason: /no sign of life for 300 ms/ });
  t.match(await accepted.closed, { by: "transport", reason: /no sign of life for 300 ms/ });
});

t.test("an idle session stays, and knows its round-trip time", async (t) => {
  const { server, open } = await startServer({ engine, idleTimeoutMs: 150 });
  t.teardown(() => server.close());
  const { client } = await open({ engine, idleTimeoutMs: 150 });
  await new Promise((resolve) => setTimeout(resolve, 600));
  const { rttMs, bytesSent, datagramsQueued } = client.stats();
  t.ok(rttMs !== undefined && rttMs > 0 && rttMs < 150, `rtt ${rttMs} ms`);
  t.equal(bytesSent, 0);
  t.equal(datagramsQueued, 0);
  t.equal((await client.openUnidirectional()) !== undefined, true);
  client.close();
});

/** What is used of a raw `ws` client here. */
interface RawSocket {
  on(event: "open", listener: () => void): void;
  on(event: "error", listener: (error: Error) => void): void;
  on(event: "close", listener: (code: number, reason: Buffer) => void): void;
  send(data: Uint8Array | string): void;
}

t.test("garbage on every layer ends its own connection only", async (t) => {
  const { WebSocket } = createRequire(import.meta.resolve("@sluice/http3"))("ws") as {
    WebSocket: new (url: string, protocols: string[], options: object) => RawSocket;
  };
  const { server, open } = await startServer({ engine });
  t.teardown(() => server.close());
  const port = Number(new URL(server.url).port);

  const seed = Number(process.env.SLUICE_SEED ?? 20_261_123);
  t.comment(`seed ${seed} (SLUICE_SEED)`);
  let state = seed;
  const random = (length: number) =>
    Uint8Array.from({ length }, () => {
      state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
      return state >>> 24;
    });
  for (let i = 0; i < 50; i++) {
    const isSecure = i % 2 === 0;
    const socket = isSecure
      ? connectTls({ host: "127.0.0.1", port, rejectUnauthorized: false })
      : connectTcp(port, "127.0.0.1");
    socket.on("error", () => {});
    socket.write(random(1 + ((i * 37) % 500)));
    socket.end("\r\n\r\n");
    socket.resume();
    await once(socket, "close");
  }

  const closeCodeAfter = (message: Uint8Array | string, protocols = [MUX_PROTOCOL]) =>
    new Promise<number | string>((resolve) => {
      const url = server.url.replace("https", "wss");
      const socket = new WebSocket(url, protocols, { rejectUnauthorized: false });
      socket.on("open", () => socket.send(message));
      socket.on("close", resolve);
      socket.on("error", (error) => resolve(error.message));
    });
  t.equal(await closeCodeAfter(new Uint8Array(0)), VIOLATION_CLOSE_CODE, "an empty message");
  t.equal(await closeCodeAfter(Uint8Array.of(0xff)), VIOLATION_CLOSE_CODE, "an unknown type");
  t.equal(await closeCodeAfter("text"), VIOLATION_CLOSE_CODE, "a text message");
  t.equal(await closeCodeAfter(new Uint8Array(1 << 20)), 1009, "a message that is too long (RFC 6455 7.4.1)");
  t.match(await closeCodeAfter("", []), /400/, "no subprotocol");
  t.match(await closeCodeAfter("", ["other"]), /400/, "another subprotocol");

  const { client } = await open({ engine });
  t.ok(await client.openUnidirectional(), "the server goes on");
  client.close();
});
