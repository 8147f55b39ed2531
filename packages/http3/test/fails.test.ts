import { SessionWebTransport, selectEngine } from "@sluice/http3";
import { ConnectError, complianceCases, createMemoryPair, type Session } from "@sluice/transport";
import t from "tap";
import { createFailsEngine } from "#src/fails/engine.js";
import {
  FAILS_PACKAGES,
  type FailsAnswer,
  type FailsHeader,
  type FailsServerOptions,
} from "#src/fails/fails-module.js";
import { startServer } from "./open-pair.js";

async function loadError(attempt: Promise<unknown>): Promise<ConnectError | undefined> {
  try {
    await attempt;
    return undefined;
  } catch (error) {
    if (error instanceof ConnectError) return error;
    throw error;
  }
}

const missing = await loadError(selectEngine("fails"));

t.test("the installed packages pass the compliance suite", { skip: missing?.message ?? false }, async (t) => {
  const { server, open } = await startServer({ engine: "fails" });
  t.teardown(() => server.close());
  for (const { name, needs, run } of complianceCases) {
    const skip = needs === "wide-codes" && "the library cuts codes to 255";
    await t.test(name, { skip }, async () => {
      const pair = await open({ engine: "fails" });
      await run(pair);
      pair.client.close();
      pair.server.close();
    });
  }
});

t.test("what is missing is named, with the way to get it", async (t) => {
  const notFound = Object.assign(new Error("Cannot find package"), { code: "ERR_MODULE_NOT_FOUND" });
  const load = (failing: string, error: Error) => async (name: string) => {
    if (name === failing) throw error;
    return {};
  };
  for (const name of FAILS_PACKAGES) {
    const error = await loadError(createFailsEngine(load(name, notFound)));
    t.equal(error?.kind, "engine");
    t.match(error?.message, `${name} is not installed`);
    t.match(error?.message, "npm install @fails-components/webtransport@1.6.8");
  }
  const broken = await loadError(
    createFailsEngine(load(FAILS_PACKAGES[0], new Error("no binary\nfor this"))),
  );
  t.match(broken?.message, /quiche does not load: no binary;/);
  const old = await loadError(createFailsEngine(async () => ({ WebTransport: 1 })));
  t.match(old?.message, /not of version 1\.6/);
});

/** A module with the interface of the real one; its sessions run in memory. */
function createFakeModule() {
  const servers: FakeServer[] = [];
  class FakeServer {
    readonly ready = Promise.resolve();
    readonly closed: Promise<void>;
    #stop = () => {};
    #answer: ((request: { header: FailsHeader }) => Promise<FailsAnswer>) | undefined;
    #wake = () => {};
    readonly sessions: unknown[] = [];
    constructor(readonly options: FailsServerOptions) {
      this.closed = new Promise((resolve) => {
        this.#stop = resolve;
      });
      servers.push(this);
    }
    startServer() {}
    stopServer() {
      this.#stop();
    }
    address() {
      return { port: 4433 };
    }
    setRequestCallback(callback: (request: { header: FailsHeader }) => Promise<FailsAnswer>) {
      this.#answer = callback;
    }
    async *sessionStream() {
      for (;;) {
        while (this.sessions.length === 0) {
          await new Promise<void>((resolve) => {
            this.#wake = resolve;
          });
        }
        yield this.sessions.shift();
      }
    }
    async request(url: URL): Promise<Session> {
      const header = { ":path": url.pathname + url.search, ":authority": url.host, origin: "test" };
      const answer = await this.#answer?.({ header });
      if (answer?.status !== 200) throw new Error("Opening handshake failed.");
      const pair = createMemoryPair();
      const userData = answer.userData;
      this.sessions.push(
        Object.assign(new SessionWebTransport(pair.server), { userData, peerAddress: "1.2.3.4:5" }),
      );
      this.#wake();
      return pair.client;
    }
  }
  class FakeTransport extends SessionWebTransport {
    constructor(url: string) {
      super(Promise.resolve().then(() => (servers[0] as FakeServer).request(new URL(url))));
    }
  }
  return {
    servers,
    module: { WebTransport: FakeTransport, Http3Server: FakeServer, quicheLoaded: Promise.resolve() },
  };
}

const connectOptions = {
  address: "127.0.0.1",
  host: "127.0.0.1",
  port: 4433,
  authority: "127.0.0.1:4433",
  path: "/x?y",
  headers: [],
  trust: { type: "hash" as const, certificateHashes: ["ab".repeat(32)] },
  timeoutMs: 1000,
  idleTimeoutMs: 1000,
  maxPacketBytes: 1350,
};

t.test("client and server are wired to a module of that interface", async (t) => {
  const { module, servers } = createFakeModule();
  const engine = await createFailsEngine(async () => module);
  const seen: unknown[] = [];
  let status = 200;
  const server = await engine.listen({
    ...{ address: "127.0.0.1", host: "127.0.0.1", port: 0, certificate: { cert: "C", key: "K" } },
    ...{ certificateHash: "cd", retry: "never", maxConnections: 2, idleTimeoutMs: 1000 },
    ...{ handshakeTimeoutMs: 1000, maxPacketBytes: 1350, maxConnectionsPerSource: 2, exemptLoopback: true },
    newConnectionsPerSource: { perSecond: 1, burst: 1 },
    decide: (request) => {
      seen.push(request.path);
      return status;
    },
    log: () => {},
  });
  t.equal(server.url, "https://127.0.0.1:4433");
  t.match(servers[0]?.options, { cert: "C", privKey: "K", maxConnections: 2, secret: /^[0-9a-f]{64}$/ });
  const arrived = new Promise<{ session: Session; remote: string; origin: string | undefined }>((resolve) => {
    server.onSession((session, { remoteAddress, headers }) => {
      resolve({ session, remote: remoteAddress, origin: headers.get("origin") });
    });
  });
  const client = await engine.connect(connectOptions);
  const { session, remote, origin } = await arrived;
  t.strictSame([seen, remote, origin], [["/x?y"], "1.2.3.4:5", "test"]);
  const received = new Promise<readonly Uint8Array[]>((resolve) => session.onDatagrams(resolve));
  t.equal(client.sendDatagram(Uint8Array.of(1, 2)), "sent");
  t.strictSame([...((await received)[0] ?? [])], [1, 2]);

  status = 403;
  t.match(await loadError(engine.connect(connectOptions)), { kind: "refused", message: /handshake failed/ });
  await server.close(5, "maintenance");
  t.strictSame(await client.closed, { code: 5, reason: "maintenance", by: "remote" });
});

t.test("what the library cannot do is refused by name", async (t) => {
  const engine = await createFailsEngine(async () => createFakeModule().module);
  const roots = await loadError(engine.connect({ ...connectOptions, trust: { type: "none" } }));
  t.match(roots, { kind: "engine", message: /certificateHash/ });
  const headers = await loadError(engine.connect({ ...connectOptions, headers: [["a", "b"]] }));
  t.match(headers, { kind: "engine", message: /headers/ });
});
