import { createSocket } from "node:dgram";
import { connect, listen } from "@sluice/http3";
import { ConnectError, type Session } from "@sluice/transport";
import t from "tap";
import { issueCertificate } from "./issue-certificate.js";
import { startServer } from "./open-pair.js";

async function connectErrorOf(attempt: Promise<Session>): Promise<ConnectError> {
  try {
    (await attempt).close();
  } catch (error) {
    if (error instanceof ConnectError) return error;
    throw error;
  }
  throw new Error("the session opened");
}

/** Pseudo-random bytes, the same in every run. */
function createBytes(seed: number): (length: number) => Uint8Array {
  let state = seed;
  return (length) => {
    const bytes = new Uint8Array(length);
    for (let i = 0; i < length; i++) {
      state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
      bytes[i] = state >>> 24;
    }
    return bytes;
  };
}

async function echo(session: Session, data: Uint8Array): Promise<Uint8Array> {
  const { send, receive } = await session.openBidirectional();
  const [chunks] = await Promise.all([
    (async () => {
      const all: Uint8Array[] = [];
      for (let chunk = await receive.read(); chunk !== undefined; chunk = await receive.read())
        all.push(chunk);
      return all;
    })(),
    send.write(data).then(() => send.finish()),
  ]);
  return Buffer.concat(chunks);
}

function answerEchoes(session: Session): void {
  session.onBidirectional(({ send, receive }) => {
    void (async () => {
      for (let chunk = await receive.read(); chunk !== undefined; chunk = await receive.read())
        await send.write(chunk);
      await send.finish();
    })().catch(() => {});
  });
}

t.test("a certificate with another hash is refused, and both hashes are named", async (t) => {
  const { server } = await startServer();
  t.teardown(() => server.close());
  const expected = "0".repeat(64);
  const error = await connectErrorOf(connect(server.url, { certificateHash: expected }));
  t.equal(error.kind, "certificate");
  t.match(error.message, expected);
  t.match(error.message, server.certificateHash ?? "no hash");
});

t.test("roots: a certificate is trusted if they signed it and it names the host", async (t) => {
  const { server: selfSigned } = await startServer();
  t.teardown(() => selfSigned.close());
  t.equal((await connectErrorOf(connect(selfSigned.url))).kind, "certificate", "by nobody");

  const { ca, cert, key } = await issueCertificate("127.0.0.1");
  const { server } = await startServer({ certificate: { cert, key } });
  t.teardown(() => server.close());
  const trusted = await connect(server.url, { ca });
  trusted.close();
  const other = await issueCertificate("127.0.0.1");
  t.equal(
    (await connectErrorOf(connect(server.url, { ca: other.ca }))).kind,
    "certificate",
    "by somebody else",
  );

  const foreign = await issueCertificate("10.1.2.3");
  const { server: misnamed } = await startServer({ certificate: { cert: foreign.cert, key: foreign.key } });
  t.teardown(() => misnamed.close());
  const error = await connectErrorOf(connect(misnamed.url, { ca: foreign.ca }));
  t.equal(error.kind, "certificate");
  t.match(error.message, "not for 127.0.0.1");
  const careless = await connect(misnamed.url, { insecure: true });
  careless.close();
});

t.test("nobody listens", async (t) => {
  const socket = createSocket("udp4");
  await new Promise<void>((resolve) => socket.bind(0, "127.0.0.1", resolve));
  const { port } = socket.address();
  const url = `https://127.0.0.1:${port}/`;
  const silent = await connectErrorOf(connect(url, { insecure: true, timeoutMs: 300 }));
  t.equal(silent.kind, "timeout", "a socket that never answers");
  t.match(silent.message, /300 ms/);
  await new Promise<void>((resolve) => socket.close(() => resolve()));
  const refused = await connectErrorOf(connect(url, { insecure: true }));
  t.equal(refused.kind, "refused", "a port that is closed");
  t.match(refused.message, String(port));
});

t.test("what is wrong with the arguments is said", async (t) => {
  for (const url of ["", "http://a/", "https://", "a:1", "https://u@a/", "https://a:0/"]) {
    t.equal((await connectErrorOf(connect(url))).kind, "bad-url", JSON.stringify(url));
  }
  t.equal((await connectErrorOf(connect("https://a/", { certificateHash: "12" }))).kind, "certificate");
  await t.rejects(connect("https://a/", { timeoutMs: -1 }), /timeoutMs/);
  await t.rejects(listen({ port: 70_000 }), /port/);
});

t.test("the server decides by path and request", async (t) => {
  const { server } = await startServer({
    path: "/sluice",
    authorize: ({ headers, path }) => {
      if (path.endsWith("throw")) throw new Error("broken");
      return headers.get("authorization") === "Bearer good" ? true : 403;
    },
  });
  t.teardown(() => server.close());
  const certificateHash = server.certificateHash ?? "";
  const attempt = (path: string, authorization: string) =>
    connect(server.url + path, { certificateHash, headers: { authorization } });
  const refusals: [string, string, RegExp][] = [
    ["/other", "Bearer good", /404/],
    ["/sluice", "Bearer bad", /403/],
    ["/sluice?throw", "Bearer good", /500/],
  ];
  for (const [path, authorization, status] of refusals) {
    const error = await connectErrorOf(attempt(path, authorization));
    t.equal(error.kind, "rejected");
    t.match(error.message, status);
  }
  const session = await attempt("/sluice?x=1", "Bearer good");
  t.ok(session.maxDatagramBytes >= 1200);
  session.close();
});

t.test("more sessions than allowed get 503", async (t) => {
  const { server, open } = await startServer({ maxConnections: 1, engine: "quiche" });
  t.teardown(() => server.close());
  await open();
  const error = await connectErrorOf(connect(server.url, { certificateHash: server.certificateHash ?? "" }));
  t.equal(error.kind, "rejected");
  t.match(error.message, /503/);
});

t.test("a server that shakes hands and never answers the request is given up", async (t) => {
  const { server } = await startServer({ maxConnections: 1 });
  t.teardown(() => server.close());
  // A path on which nothing but the handshake comes back.
  const proxy = createSocket("udp4");
  const upstream = createSocket("udp4");
  await new Promise<void>((resolve) => proxy.bind(0, "127.0.0.1", resolve));
  t.teardown(() => proxy.close());
  t.teardown(() => upstream.close());
  let clientPort = 0;
  let packets = 0;
  proxy.on("message", (packet, from) => {
    clientPort = from.port;
    upstream.send(packet, Number(new URL(server.url).port), "127.0.0.1");
  });
  upstream.on("message", (packet) => {
    // Long headers are the handshake; everything after it is lost.
    packets += 1;
    if (((packet[0] ?? 0) & 0x80) !== 0) proxy.send(packet, clientPort, "127.0.0.1");
  });
  const url = `https://127.0.0.1:${proxy.address().port}/`;
  const error = await connectErrorOf(
    connect(url, { certificateHash: server.certificateHash ?? "", timeoutMs: 400 }),
  );
  t.equal(error.kind, "timeout");
  t.ok(packets > 2, "the handshake went through");
});

t.test("two servers cannot share a port", async (t) => {
  const { server } = await startServer();
  t.teardown(() => server.close());
  await t.rejects(listen({ port: Number(new URL(server.url).port) }), {
    kind: "engine",
    message: /EADDRINUSE/,
  });
});

t.test("8 MiB come back as they went, while 2,000 random packets hit the port", async (t) => {
  const { server, open } = await startServer();
  t.teardown(() => server.close());
  const pair = await open();
  answerEchoes(pair.server);
  const random = createBytes(7);
  const data = random(8 << 20);
  const echoing = echo(pair.client, data);
  const attacker = createSocket("udp4");
  const port = Number(new URL(server.url).port);
  for (let i = 0; i < 2000; i++) {
    const packet = Buffer.from(random(1 + ((i * 37) % 1400)));
    // Half of them look like Initial packets of version 1.
    if (i % 2 === 0) packet.set([0xc0 | (packet[0] ?? 0), 0, 0, 0, 1, 8].slice(0, packet.byteLength));
    await new Promise((resolve) => attacker.send(packet, port, "127.0.0.1", resolve));
  }
  attacker.close();
  t.equal(Buffer.compare(await echoing, data), 0);
  t.equal(Buffer.compare(await echo(pair.client, data.subarray(0, 1000)), data.subarray(0, 1000)), 0);
  pair.client.close(3, "enough");
  t.strictSame(await pair.server.closed, { code: 3, reason: "enough", by: "remote" });
});

t.test("closing the server ends its sessions with code and reason", async (t) => {
  const { server, open } = await startServer();
  const pair = await open();
  await server.close(5, "maintenance");
  t.strictSame(await pair.client.closed, { code: 5, reason: "maintenance", by: "remote" });
  t.strictSame(await pair.server.closed, { code: 5, reason: "maintenance", by: "local" });
});

t.test("an attempt can be given up", async (t) => {
  const socket = createSocket("udp4");
  await new Promise<void>((resolve) => socket.bind(0, "127.0.0.1", resolve));
  t.teardown(() => socket.close());
  const url = `https://127.0.0.1:${socket.address().port}/`;
  const abort = new AbortController();
  const attempt = connect(url, { insecure: true, timeoutMs: 300, signal: abort.signal });
  socket.once("message", () => abort.abort(new Error("given up")));
  await t.rejects(attempt, /given up/);
});
