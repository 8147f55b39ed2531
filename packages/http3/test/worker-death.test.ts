import { createSocket } from "node:dgram";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { connect, ENGINE_FAILED_CODE } from "@sluice/http3";
import { StreamError } from "@sluice/transport";
import t, { type Test } from "tap";
import { configureQuicWorker, sharedQuicWorker } from "#src/quiche/quic-worker.js";
import { startServer, type TestServer } from "./open-pair.js";
import { until } from "./until.js";
import { type Fault, runFaultyWorkers } from "./worker-faults.js";

// Hangs take their time to be found, and more on a busy machine.
t.setTimeout(120_000);

const inject = runFaultyWorkers();
const lost = { by: "transport", code: ENGINE_FAILED_CODE, reason: /^the QUIC worker died: / } as const;

async function assertServes(t: Test, { open }: TestServer): Promise<void> {
  const pair = await open({ timeoutMs: 20_000 });
  const arrived = new Promise<readonly Uint8Array[]>((resolve) => pair.server.onDatagrams(resolve));
  t.equal(pair.client.sendDatagram(Uint8Array.of(1, 2, 3)), "sent");
  t.strictSame([...((await arrived)[0] ?? [])], [1, 2, 3]);
  pair.client.close();
}

const faults: readonly [Fault, "hang" | "crash"][] = [
  ["hang", "hang"],
  ["throw", "crash"],
  ["reject", "crash"],
  ["exit", "crash"],
];
for (const [fault, kind] of faults) {
  t.test(`a worker that fails (${fault}) is replaced, and its servers go on`, async (t) => {
    const logged: string[] = [];
    const first = await startServer({
      engine: "quiche",
      log: (level, message) => logged.push(`${level} ${message}`),
    });
    const second = await startServer({ engine: "quiche" });
    t.teardown(() => Promise.all([first.server.close(), second.server.close()]));
    const { url } = first.server;
    const pair = await first.open();
    const other = await second.open();
    const stream = await pair.client.openUnidirectional();
    await stream.write(new Uint8Array(10));
    inject(fault);
    for (const session of [pair.client, pair.server, other.client, other.server]) {
      t.match(await session.closed, lost);
    }
    t.equal(first.server.isListening, false);
    await t.rejects(stream.write(new Uint8Array(10)), new StreamError("closed", 0));
    t.equal(pair.client.sendDatagram(new Uint8Array(1)), "closed");

    await until(() => first.server.isListening && second.server.isListening);
    t.equal(first.server.url, url, "at the same port");
    t.strictSame(first.server.stats().engines[0]?.restarts, { hang: 0, crash: 0, [kind]: 1 });
    t.strictSame(logged, ["error the QUIC worker died", "info the server listens again"]);
    await assertServes(t, first);
    await assertServes(t, second);
  });
}

t.test(
  "a thread that runs native code keeps its server down, says so, and is replaced once it ends",
  async (t) => {
    let stuck = 0;
    const server = await startServer({
      engine: "quiche",
      onStuck: () => {
        stuck += 1;
      },
    });
    t.teardown(() => server.server.close());
    const pair = await server.open();
    configureQuicWorker({ stuckMs: 300 });
    const folder = await mkdtemp(join(tmpdir(), "sluice-stuck-"));
    t.teardown(() => rm(folder, { recursive: true }));
    const release = join(folder, "release");
    inject({ stuckUntil: release });
    t.match(await pair.client.closed, lost);
    await until(() => stuck > 0);
    t.equal(server.server.isListening, false);
    const { certificateHash } = server.server;
    await t.rejects(connect(server.server.url, { engine: "quiche", certificateHash }), {
      name: "ConnectError",
      kind: "engine",
    });
    configureQuicWorker({ stuckMs: 10_000 });
    await writeFile(release, "");
    await until(() => server.server.isListening);
    t.strictSame(server.server.stats().engines[0]?.restarts, { hang: 1, crash: 0 });
    await assertServes(t, server);
  },
);

t.test("an attempt to connect during the death fails, and the next one does not", async (t) => {
  const server = await startServer({ engine: "quiche" });
  t.teardown(() => server.server.close());
  const silent = createSocket("udp4");
  await new Promise<void>((resolve) => silent.bind(0, "127.0.0.1", resolve));
  t.teardown(() => silent.close());
  const attempt = connect(`https://127.0.0.1:${silent.address().port}/`, {
    ...{ engine: "quiche", certificateHash: server.server.certificateHash, timeoutMs: 60_000 },
  });
  silent.once("message", () => inject("throw"));
  await t.rejects(attempt, { name: "ConnectError", kind: "engine", message: /the QUIC worker died/ });
  await assertServes(t, server);
});

t.test(
  "a server whose worker dies again and again still comes back, and can be closed in between",
  async (t) => {
    const server = await startServer({ engine: "quiche" });
    for (let death = 1; death <= 4; death++) {
      await sharedQuicWorker().terminate("killed by a test");
      await until(() => server.server.isListening);
      t.equal(server.server.stats().engines[0]?.restarts.crash, death);
    }
    await assertServes(t, server);
    const dying = sharedQuicWorker().terminate("killed by a test");
    await server.server.close();
    await dying;
    t.equal(server.server.isListening, false);
  },
);

t.test("a port that somebody else took meanwhile is waited for", async (t) => {
  const logged: string[] = [];
  const server = await startServer({
    engine: "quiche",
    log: (level, message) => logged.push(`${level} ${message}`),
  });
  t.teardown(() => server.server.close());
  const port = Number(new URL(server.server.url).port);
  const squatter = createSocket("udp4");
  for (let isBound = false; !isBound; ) {
    await sharedQuicWorker().terminate("killed by a test");
    isBound = await new Promise<boolean>((resolve) => {
      squatter.once("error", () => resolve(false));
      squatter.bind({ port, address: "127.0.0.1", exclusive: true }, () => resolve(true));
    });
  }
  await until(() => logged.includes("error cannot listen again yet"));
  t.equal(server.server.isListening, false);
  await new Promise<void>((resolve) => squatter.close(() => resolve()));
  await until(() => server.server.isListening);
  await assertServes(t, server);
});
