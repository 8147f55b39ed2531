import { createRequire } from "node:module";
import { connect, type EngineName, listen, SessionWebTransport } from "@sluice/http3";
import {
  type CompliancePair,
  complianceCases,
  connectWebSocket,
  createMemoryPair,
  createSystemClock,
  createW3cSession,
  MUX_PROTOCOL,
  type Session,
  type W3cWebSocket,
} from "@sluice/transport";
import t from "tap";
import { startServer, type TestServer } from "./open-pair.js";
import { whyMissing } from "./why-missing.js";

/** The session as the browser's API, and that as a session again. */
async function throughW3c(session: Session): Promise<Session> {
  const transport = new SessionWebTransport(session);
  await transport.ready;
  return createW3cSession(transport);
}

function suite(
  name: string,
  start: () => Promise<Pick<TestServer, "open"> & { close(): Promise<void> }>,
  skip: string | false = false,
): void {
  t.test(name, { skip }, async (t) => {
    const { open, close } = await start();
    t.teardown(close);
    for (const { name, needs, run } of complianceCases) {
      const first = await open();
      const skip =
        (needs?.endsWith("datagrams") ?? false) &&
        first.client.maxDatagramBytes === 0 &&
        "the engine has no datagrams";
      await t.test(name, { skip }, async () => {
        await run(first);
      });
      first.client.close();
      first.server.close();
    }
  });
}

async function startEngine(engine: EngineName, clientEngine = engine) {
  const { server, open } = await startServer({ engine });
  return { open: () => open({ engine: clientEngine }), close: () => server.close() };
}

async function wrapBoth({ client, server }: CompliancePair): Promise<CompliancePair> {
  return { client: await throughW3c(client), server: await throughW3c(server) };
}

suite("websocket engine", () => startEngine("websocket"));

const noQuinn = await whyMissing("quinn");
suite("quinn engine", () => startEngine("quinn"), noQuinn);
suite("quinn server, quiche client", () => startEngine("quinn", "quiche"), noQuinn);
suite("quiche server, quinn client", () => startEngine("quiche", "quinn"), noQuinn);

suite("W3C class and adapter over a pair in memory", async () => ({
  open: () => wrapBoth(createMemoryPair()),
  close: async () => {},
}));

suite("W3C class and adapter over QUIC", async () => {
  const { open, close } = await startEngine("quiche");
  return { open: async () => wrapBoth(await open()), close };
});

suite("W3C class and adapter over a WebSocket", async () => {
  const { open, close } = await startEngine("websocket");
  return { open: async () => wrapBoth(await open()), close };
});

suite("a W3C WebSocket, as in a browser", async () => {
  // `ws` has the browser's interface besides its own.
  const { WebSocket } = createRequire(import.meta.resolve("@sluice/http3"))("ws") as {
    WebSocket: new (url: string, protocol: string, options: { rejectUnauthorized: boolean }) => W3cWebSocket;
  };
  const server = await listen({ port: 0, engine: "websocket" });
  const clock = createSystemClock(globalThis);
  return {
    async open() {
      const arrived = new Promise<Session>((resolve) => server.onSession(resolve));
      const socket = new WebSocket(server.url.replace("https", "wss"), MUX_PROTOCOL, {
        rejectUnauthorized: false,
      });
      return { client: await connectWebSocket(socket, { clock }), server: await arrived };
    },
    close: () => server.close(),
  };
});

suite("fallback: a server on both, a client over TCP", async () => {
  const { server, open } = await startServer({ fallback: true });
  return { open: () => open({ engine: "websocket" }), close: () => server.close() };
});

t.test("fallback: the same server over QUIC", async (t) => {
  const { server, open } = await startServer({ fallback: true });
  t.teardown(() => server.close());
  const { client } = await open();
  t.ok(client.maxDatagramBytes > 1000);
  const second = await connect(server.url, {
    certificateHash: server.certificateHash ?? "",
    engine: "websocket",
  });
  t.equal(second.maxDatagramBytes, 0);
  client.close();
  second.close();
});
