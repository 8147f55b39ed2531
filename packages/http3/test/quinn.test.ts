import { connect, listen } from "@sluice/http3";
import { ConnectError, type Session } from "@sluice/transport";
import t from "tap";
import { issueCertificate } from "./issue-certificate.js";
import { startServer } from "./open-pair.js";
import { whyMissing } from "./why-missing.js";

async function connectErrorOf(attempt: Promise<Session>): Promise<ConnectError> {
  try {
    (await attempt).close();
  } catch (error) {
    if (error instanceof ConnectError) return error;
    throw error;
  }
  throw new Error("the session opened");
}

const skip = await whyMissing("quinn");
const quinn = { engine: "quinn" } as const;

t.test("quinn: what it cannot do is refused by name", async (t) => {
  if (skip !== false) {
    // Where the binary does not load, that is what is said.
    await t.rejects(listen({ port: 0, ...quinn }), { kind: "engine", message: /quinn/ });
    return;
  }
  for (const options of [
    { retry: "always" },
    { idleTimeoutMs: 1000 },
    { handshakeTimeoutMs: 1000 },
    { maxPacketBytes: 1200 },
  ] as const) {
    const message = new RegExp(Object.keys(options)[0] ?? "");
    await t.rejects(listen({ port: 0, ...quinn, ...options }), { kind: "engine", message });
  }
  const url = "https://127.0.0.1:4433/";
  const certificateHash = "ab".repeat(32);
  for (const options of [
    { ca: "-----BEGIN CERTIFICATE-----" },
    { headers: { authorization: "Bearer x" }, certificateHash },
    { idleTimeoutMs: 1000, certificateHash },
    { maxPacketBytes: 1200, certificateHash },
  ]) {
    const error = await connectErrorOf(connect(url, { ...quinn, ...options }));
    t.equal(error.kind, "engine");
    t.match(error.message, Object.keys(options)[0]);
  }
});

t.test("quinn: a certificate that is not trusted is refused", { skip }, async (t) => {
  for (const engine of ["quinn", "quiche"] as const) {
    const { server } = await startServer({ engine });
    t.teardown(() => server.close());
    const byHash = await connectErrorOf(connect(server.url, { ...quinn, certificateHash: "0".repeat(64) }));
    t.equal(byHash.kind, "certificate");
    t.match(byHash.message, "0".repeat(64));
    t.equal((await connectErrorOf(connect(server.url, quinn))).kind, "certificate", "by nobody");
    (await connect(server.url, { ...quinn, insecure: true })).close();
  }
  const { cert, key } = await issueCertificate("127.0.0.1");
  const { server } = await startServer({ ...quinn, certificate: { cert, key } });
  t.teardown(() => server.close());
  (await connect(server.url, { ...quinn, certificateHash: server.certificateHash ?? "" })).close();
});

t.test(
  "quinn: a server decides by path, and lets nobody in who is decided about by headers",
  { skip },
  async (t) => {
    const logged: unknown[] = [];
    const { server } = await startServer({
      ...quinn,
      path: "/sluice",
      authorize: ({ path, headers }) => {
        if (path.endsWith("token=good")) return true;
        return headers.has("origin") ? 403 : true;
      },
      log: (_, message, fields) => logged.push({ message, ...fields }),
    });
    t.teardown(() => server.close());
    const certificateHash = server.certificateHash ?? "";
    for (const engine of ["quinn", "quiche"] as const) {
      const open = (path: string) => connect(server.url + path, { engine, certificateHash });
      // The status does not always arrive: the binding closes the connection behind it.
      t.match((await connectErrorOf(open("/other"))).kind, /rejected|refused/);
      t.match((await connectErrorOf(open("/sluice?token=bad"))).kind, /rejected|refused/);
      (await open("/sluice?token=good")).close();
    }
    // From each of the two clients; what else it says is about its certificate.
    const failed = { message: /^authorize failed/, error: /does not tell a request's headers/ };
    t.match(logged.slice(-2), [failed, failed]);
  },
);

t.test("quinn: refusals of a quiche server keep their status", { skip }, async (t) => {
  const { server } = await startServer({ engine: "quiche", authorize: () => 403 });
  t.teardown(() => server.close());
  const certificateHash = server.certificateHash ?? "";
  const error = await connectErrorOf(connect(server.url, { ...quinn, certificateHash }));
  t.equal(error.kind, "rejected");
  t.match(error.message, /403/);
});

t.test("quinn: no more sessions than allowed", { skip }, async (t) => {
  const { server, open } = await startServer({ ...quinn, maxConnections: 2 });
  t.teardown(() => server.close());
  const first = await open(quinn);
  await open(quinn);
  const certificateHash = server.certificateHash ?? "";
  t.match((await connectErrorOf(connect(server.url, { certificateHash }))).kind, /rejected|refused/);
  first.client.close();
  await first.server.closed;
  await open(quinn);
});

t.test("quinn: closing ends the sessions with code and reason and frees the port", { skip }, async (t) => {
  const { server, open } = await startServer(quinn);
  const port = Number(new URL(server.url).port);
  await t.rejects(listen({ port, ...quinn }), { kind: "engine", message: /EADDRINUSE/ });
  const pair = await open();
  const { send, receive } = await pair.server.openBidirectional();
  await send.write(Uint8Array.of(1));
  await server.close(5, "maintenance");
  t.strictSame(await pair.client.closed, { code: 5, reason: "maintenance", by: "remote" });
  t.strictSame(await pair.server.closed, { code: 5, reason: "maintenance", by: "local" });
  await t.rejects(receive.read(), { name: "StreamError", kind: "closed" });
  const again = await startServer({ ...quinn, port });
  (await again.open(quinn)).client.close();
  await again.server.close();
});

t.test("quinn: a closed port ends with the timeout", { skip }, async (t) => {
  const attempt = connect("https://127.0.0.1:9/", { ...quinn, insecure: true, timeoutMs: 300 });
  t.match(await connectErrorOf(attempt), { kind: "timeout", message: /300 ms/ });
});
