import { createSocket } from "node:dgram";
import { Http3Server } from "@fails-components/webtransport";
import { connect, createCertificate } from "@sluice/http3";
import { ConnectError } from "@sluice/transport";
import t from "tap";
import { connectFails, createFailsServer } from "./api-pairs.js";

async function refusal(attempt: Promise<unknown>): Promise<string> {
  try {
    await attempt;
  } catch (error) {
    return error instanceof ConnectError ? `${error.kind}: ${error.message}` : String(error);
  }
  return "a session";
}

const portOf = (server: Http3Server) => server.address()?.port ?? 0;

t.test("paths that are served open, others are not there", async (t) => {
  const { server, certificateHash } = await createFailsServer();
  const sessions = server.sessionStream("/served").getReader();
  server.startServer();
  await server.ready;
  t.teardown(() => server.stopServer());
  t.match(server.address(), { host: "127.0.0.1", family: "IPv4" });
  const url = `https://127.0.0.1:${portOf(server)}`;
  t.match(await refusal(connect(`${url}/other`, { certificateHash })), /^rejected: .*404/);
  t.match(await refusal(connectFails(`${url}/other`, certificateHash)), /Opening handshake failed/);
  const client = await connectFails(`${url}/served`, certificateHash);
  t.ok((await sessions.read()).value);
  client.close();
});

t.test("a request handler sees the request, and decides in its time", async (t) => {
  const { server, certificateHash } = await createFailsServer();
  const seen: Record<string, string>[] = [];
  server.setRequestCallback(async ({ header }: { header: Record<string, string> }) => {
    seen.push(header);
    await new Promise((resolve) => setImmediate(resolve));
    if (header[":path"] === "/forbidden") return { status: 403, path: "" };
    return { status: 200, path: "/all", userData: { name: "someone" } };
  });
  const sessions = server.sessionStream("/all", { noAutoPaths: true }).getReader();
  server.startServer();
  await server.ready;
  t.teardown(() => server.stopServer());
  const url = `https://127.0.0.1:${portOf(server)}`;
  const options = {
    certificateHash,
    headers: { authorization: "Bearer x", "wt-available-protocols": '"a"' },
  };
  t.match(await refusal(connect(`${url}/forbidden`, options)), /^rejected: .*403/);
  const client = await connect(`${url}/any?x=1`, options);
  const { value } = await sessions.read();
  t.match(seen[1], {
    ":method": "CONNECT",
    ":protocol": "webtransport",
    ":scheme": "https",
    ":path": "/any?x=1",
    ":authority": `127.0.0.1:${portOf(server)}`,
    authorization: "Bearer x",
  });
  t.notOk(seen[1] !== undefined && "wt-available-protocols" in seen[1], "what cannot be answered");
  // The library's types do not tell of these.
  t.match(value, { userData: { name: "someone" }, peerAddress: /^127\.0\.0\.1:\d+$/ });
  client.close();
});

t.test("a request handler without a stream of sessions refuses", async (t) => {
  const { server, certificateHash } = await createFailsServer();
  server.setRequestCallback(async () => ({ status: 200 }));
  server.startServer();
  await server.ready;
  t.teardown(() => server.stopServer());
  const attempt = connect(`https://127.0.0.1:${portOf(server)}/`, { certificateHash });
  t.match(await refusal(attempt), /^rejected: .*500/);
});

t.test("more sessions than allowed get 503", async (t) => {
  const { server, certificateHash } = await createFailsServer({ maxConnections: 1 });
  const sessions = server.sessionStream("/").getReader();
  server.startServer();
  await server.ready;
  t.teardown(() => server.stopServer());
  const url = `https://127.0.0.1:${portOf(server)}/`;
  const first = await connect(url, { certificateHash });
  await sessions.read();
  t.match(await refusal(connect(url, { certificateHash })), /^rejected: .*503/);
  first.close();
});

t.test("a server that stops ends its sessions, and says when it is down", async (t) => {
  const { server, certificateHash } = await createFailsServer();
  const sessions = server.sessionStream("/").getReader();
  server.startServer();
  await server.ready;
  const url = `https://127.0.0.1:${portOf(server)}/`;
  const client = await connectFails(url, certificateHash);
  const { value } = await sessions.read();
  server.stopServer();
  await Promise.all([client.closed, value?.closed, server.closed]);
  t.match(await refusal(connect(url, { certificateHash, timeoutMs: 2000 })), /^(refused|timeout)/);
});

t.test("what is wrong with a server rejects ready", async (t) => {
  const socket = createSocket("udp4");
  await new Promise<void>((resolve) => socket.bind(0, "127.0.0.1", resolve));
  t.teardown(() => socket.close());
  const { cert, key } = await createCertificate({ hosts: ["127.0.0.1"] });
  const base = {
    host: "127.0.0.1",
    port: 0,
    secret: "not used",
    cert: cert as string | string[],
    privKey: key as string | string[],
    defaultDatagramsReadableMode: "bytes" as const,
  };
  const failing = [
    [{ ...base, port: socket.address().port }, /EADDRINUSE/],
    [{ ...base, cert: [cert, cert] }, /cert: exactly one is needed, got 2/],
    [{ ...base, privKey: "nonsense" }, /./],
    [{ ...base, port: 70_000 }, /port must be/],
  ] as const;
  for (const [options, message] of failing) {
    const server = new Http3Server(options);
    server.startServer();
    await t.rejects(server.ready, message);
  }
});
