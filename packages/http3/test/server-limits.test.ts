import { once } from "node:events";
import { connect as connectTcp } from "node:net";
import { connect as connectTls } from "node:tls";
import { connect, type ListenOptions, listen } from "@sluice/http3";
import type { Session } from "@sluice/transport";
import t, { type Test } from "tap";
import { until } from "./until.js";

const fast = { perSecond: 1000, burst: 1000 };

async function start(t: Test, options: Partial<ListenOptions>) {
  const server = await listen({ port: 0, ...options });
  t.teardown(() => server.close());
  const { engine = "auto" } = options;
  const open = (timeoutMs = 5000): Promise<Session> =>
    connect(server.url, { engine, certificateHash: server.certificateHash, timeoutMs });
  return { server, open };
}

t.test("a peer that is ignored is not heard for a while, and its packets are counted", async (t) => {
  const { server, open } = await start(t, { engine: "quiche" });
  const arrived: number[] = [];
  let ignored = false;
  server.onSession((session) => {
    session.onDatagrams((batch) => {
      arrived.push(...batch.map(([number]) => number!));
      if (ignored) return;
      ignored = true;
      session.ignorePeer?.(200);
    });
  });
  const client = await open();
  let number = 0;
  const timer = setInterval(() => client.sendDatagram(Uint8Array.of(number++)), 10);
  t.teardown(() => clearInterval(timer));
  await until(() => (server.stats().engines[0]?.dropped?.ignored ?? 0) > 0);
  const before = arrived.length;
  await until(() => arrived.length >= before + 5);
  clearInterval(timer);
  t.ok(arrived.length < number, `${arrived.length} of ${number} datagrams came`);
  client.close();
});

t.test("of a peer that is ignored for long a packet passes now and then", async (t) => {
  const { server, open } = await start(t, { engine: "quiche" });
  let arrived = 0;
  server.onSession((session) => {
    session.ignorePeer?.(30_000);
    session.onDatagrams((batch) => {
      arrived += batch.length;
    });
  });
  const client = await open();
  const timer = setInterval(() => client.sendDatagram(Uint8Array.of(1)), 5);
  t.teardown(() => clearInterval(timer));
  const ignored = () => server.stats().engines[0]?.dropped?.ignored ?? 0;
  // For longer than a second, so that it is not just heard again.
  await until(() => arrived >= 6 && ignored() > 20);
  t.ok(ignored() > 3 * arrived, `${arrived} datagrams came, ${ignored()} packets did not`);
  client.close();
});

for (const engine of ["quiche", "websocket"] as const) {
  t.test(`${engine}: one source cannot take all places`, async (t) => {
    const { server, open } = await start(t, {
      ...{ engine, maxConnections: 8, maxConnectionsPerSource: 2, newConnectionsPerSource: fast },
    });
    const first = await open();
    const second = await open();
    await t.rejects(open(), { name: "ConnectError", kind: "rejected", message: /429/ });
    await until(() => server.stats().refused["source-full"] === 1);
    first.close();
    await until(() => server.stats().engines[0]?.connections === 1);
    const third = await open();
    second.close();
    third.close();
  });

  t.test(`${engine}: the limit in total holds, and says so`, async (t) => {
    const { server, open } = await start(t, { engine, maxConnections: 1 });
    const only = await open();
    await t.rejects(open(), { name: "ConnectError", kind: "rejected", message: /503/ });
    await until(() => server.stats().refused["server-full"] === 1);
    only.close();
  });

  t.test(`${engine}: a source that opens connections too fast is not served for a while`, async (t) => {
    // So slow that no token comes back during the test.
    const rate = { perSecond: 0.0001, burst: 3 };
    const { server, open } = await start(t, { engine, newConnectionsPerSource: rate });
    for (let i = 0; i < 3; i++) (await open()).close();
    await t.rejects(open(500), { name: "ConnectError", kind: engine === "quiche" ? "timeout" : "refused" });
    await until(() => server.stats().refused["source-rate"] > 0);
    t.ok(server.isListening);
  });

  t.test(`${engine}: this machine is not limited unless told`, async (t) => {
    const { server, open } = await start(t, { engine, maxConnections: 200 });
    for (let i = 0; i < 70; i++) (await open()).close();
    t.match(server.stats().refused, { "source-rate": 0, "source-full": 0 });
  });
}

t.test("websocket: who does not get on with the handshake is cut off, and counted", async (t) => {
  const { server, open } = await start(t, { engine: "websocket", handshakeTimeoutMs: 300 });
  const port = Number(new URL(server.url).port);
  const silent = connectTcp(port, "127.0.0.1");
  silent.on("error", () => {});
  await once(silent.resume(), "close");
  await until(() => server.stats().refused["handshake-timeout"] === 1);
  const mute = connectTls({ host: "127.0.0.1", port, rejectUnauthorized: false });
  mute.on("error", () => {});
  await once(mute.resume(), "close");
  await until(() => server.stats().refused["handshake-timeout"] === 2);
  const slow = connectTls({ host: "127.0.0.1", port, rejectUnauthorized: false });
  slow.on("error", () => {});
  slow.write("GET / HTTP/1.1\r\nhost: a\r\n");
  await once(slow.resume(), "close");
  await until(() => server.stats().refused["handshake-timeout"] === 3);
  await until(() => server.stats().engines[0]?.connections === 0);
  (await open()).close();
});

t.test("limits that cannot be are said", async (t) => {
  await t.rejects(listen({ port: 0, maxConnectionsPerSource: 0 }), /maxConnectionsPerSource/);
  await t.rejects(
    listen({ port: 0, newConnectionsPerSource: { perSecond: 0, burst: 1 } }),
    /newConnectionsPerSource\.perSecond/,
  );
  await t.rejects(
    listen({ port: 0, newConnectionsPerSource: { perSecond: 1, burst: 0 } }),
    /newConnectionsPerSource\.burst/,
  );
  await t.rejects(listen({ port: 0, retry: "sometimes" as "always" }), /retry must be one of/);
  await t.rejects(
    listen({ port: 0, handshakeTimeoutMs: 100, authorizeTimeoutMs: 200 }),
    /authorizeTimeoutMs/,
  );
});
