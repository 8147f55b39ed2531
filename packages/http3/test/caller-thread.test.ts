// The engine on the thread of those who use it. A process has it there or in a worker, so these tests are a process of
// their own.
import { execFile } from "node:child_process";
import { createSocket } from "node:dgram";
import { promisify } from "node:util";
import { connect, ENGINE_FAILED_CODE } from "@sluice/http3";
import { ConnectError, complianceCases } from "@sluice/transport";
import t from "tap";
import type { QuicheConnection } from "#src/quiche/connection.js";
import { sharedQuicWorker } from "#src/quiche/quic-worker.js";
import { TurnLoop } from "#src/quiche/turn-loop.js";
import { startServer } from "./open-pair.js";
import { until } from "./until.js";

t.test("quiche engine on the caller's thread", async (t) => {
  const { server, open } = await startServer({ engine: "quiche", thread: "caller" });
  t.teardown(() => server.close());
  for (const { name, run } of complianceCases) {
    const pair = await open({ thread: "caller" });
    await t.test(name, async () => {
      await run(pair);
    });
    pair.client.close();
    pair.server.close();
  }
  t.equal(sharedQuicWorker().name, "caller");
  await until(() => sharedQuicWorker().clientCount === 1);
});

t.test("who comes later has to do with the thread that runs, and is told", async (t) => {
  const logged: string[] = [];
  const log = (level: string, message: string) => logged.push(`${level} ${message}`);
  const { server, open } = await startServer({ engine: "quiche", log });
  t.teardown(() => server.close());
  const { client } = await open({ engine: "quiche", thread: "worker", log });
  const text = "QUIC runs already on the caller's thread of this process, and only there";
  t.strictSame(logged, [`warn ${text}`, `debug ${text}`]);
  client.close();
});

t.test("what a callback of the application throws stops neither QUIC nor the deliveries", async (t) => {
  const { server, open } = await startServer({ engine: "quiche" });
  t.teardown(() => server.close());
  const { client, server: served } = await open();
  const thrown = new Promise<unknown>((resolve) => process.once("uncaughtException", resolve));
  const received: number[] = [];
  served.onDatagrams((batch) => {
    for (const [first = -1] of batch) received.push(first);
    if (received.length === 1) throw new Error("the application's own");
  });
  client.sendDatagram(Uint8Array.of(1));
  t.match(await thrown, { message: "the application's own" });
  client.sendDatagram(Uint8Array.of(2));
  await until(() => received.length === 2);
  client.close();
});

t.test(
  "an engine that fails loses its sessions, not the process, and its servers listen again",
  async (t) => {
    const logged: string[] = [];
    const { server, open } = await startServer({
      engine: "quiche",
      log: (level, message) => logged.push(`${level} ${message}`),
    });
    t.teardown(() => server.close());
    const { client, server: served } = await open();
    const { url } = server;
    logged.length = 0;
    let loop: TurnLoop | undefined;
    const { schedule } = TurnLoop.prototype;
    TurnLoop.prototype.schedule = function (...parameters) {
      loop = this;
      schedule.apply(this, parameters);
    };
    client.sendDatagram(Uint8Array.of(1));
    TurnLoop.prototype.schedule = schedule;
    const broken = {
      read() {
        throw new Error("injected");
      },
      socket: { close() {} },
    };
    loop?.schedule(broken as unknown as QuicheConnection);
    for (const session of [client, served]) {
      t.match(await session.closed, { by: "transport", code: ENGINE_FAILED_CODE, reason: /injected/ });
    }
    await until(() => server.isListening);
    t.equal(server.url, url, "at the same port");
    t.strictSame(logged, ["error the QUIC worker died", "info the server listens again"]);
    const again = await open();
    const arrived = new Promise<readonly Uint8Array[]>((resolve) => again.server.onDatagrams(resolve));
    t.equal(again.client.sendDatagram(Uint8Array.of(3)), "sent");
    t.strictSame([...((await arrived)[0] ?? [])], [3]);
    again.client.close();
  },
);

t.test("a process ends by itself once nothing is open", { timeout: 60_000 }, async (t) => {
  const script = `
    const { connect, listen } = await import(${JSON.stringify(import.meta.resolve("@sluice/http3"))});
    const server = await listen({ port: 0, engine: "quiche", thread: "caller" });
    const { url, certificateHash } = server;
    const client = await connect(url, { engine: "quiche", thread: "caller", certificateHash });
    client.close();
    await server.close();
    console.log("closed");`;
  const run = promisify(execFile);
  const { stdout } = await run(process.execPath, ["--input-type=module", "-e", script], { timeout: 50_000 });
  t.equal(stdout, "closed\n");
});

t.test("an engine that ends while somebody connects leaves nothing open", async (t) => {
  const silent = createSocket("udp4");
  await new Promise<void>((resolve) => silent.bind(0, "127.0.0.1", resolve));
  const url = `https://127.0.0.1:${silent.address().port}`;
  const connectTo = () => connect(url, { engine: "quiche", certificateHash: "00".repeat(32) });
  const [refused] = await Promise.allSettled([
    connectTo(),
    sharedQuicWorker().terminate("ended by the test"),
  ]);
  t.equal(refused.status, "rejected");
  const asked = new Promise((resolve) => silent.once("message", resolve));
  const second = connectTo();
  await asked;
  const [late] = await Promise.allSettled([second, sharedQuicWorker().terminate("ended by the test")]);
  t.ok(late.status === "rejected" && late.reason instanceof ConnectError && late.reason.kind === "engine");
  silent.close();
});
