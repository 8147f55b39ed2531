/** A path that is dark for a while, over real QUIC: the session and its stream go on (spec 2.7, 5.7). */
import { createReconnectingClient } from "@sluice/client";
import { connect, listen } from "@sluice/http3";
import { createServer, createSinkModel } from "@sluice/server";
import { createRelay } from "@sluice/simnet";
import { createTensor } from "@sluice/tensor";
import t from "tap";

/** Sooner than by default, so that the test is short. */
const silenceMs = 1_500;
const darkMs = 4_000;
const sleep = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

t.test("a blackout does not lose the session", { timeout: 60_000 }, async (t) => {
  const transport = await listen({ port: 0 });
  const sink = createSinkModel();
  const server = createServer({ transport, openServedStream: async () => sink });
  const port = Number(new URL(transport.url).port);
  const link = { delayMs: 10, loss: 0 };
  const dark = { delayMs: 10, loss: 1 };
  const relay = await createRelay({
    ...{ listen: { host: "127.0.0.1", port: 0 }, target: { host: "127.0.0.1", port } },
    ...{ up: link, down: link, seed: 1 },
  });
  const said: string[] = [];
  const client = await createReconnectingClient({
    silenceMs,
    connect: () =>
      connect(`https://127.0.0.1:${relay.address.port}`, { certificateHash: transport.certificateHash }),
    onState: (state) => void said.push(state.status),
  });
  t.teardown(async () => {
    client.close();
    await relay.close();
    await server.close();
  });
  const tensor = createTensor("uint8", [20_000], new Uint8Array(20_000).fill(7), "any");
  const spec = { dtype: "uint8", shape: [20_000], layout: "any" } as const;
  const stream = await client.openStream({ model: "sink", spec, codec: "raw", deadlineMs: 2_000 });
  const send = () => stream.send(tensor).then(({ status }) => status);
  /** A frame every 30 ms, with more under way than the path had room for when it went dark. */
  const offer = async (ms: number) => {
    for (const endMs = performance.now() + ms; performance.now() < endMs; await sleep(30)) void send();
  };
  await offer(2_000);
  said.length = 0;
  relay.set({ up: dark, down: dark });
  await offer(darkMs);
  t.same([...new Set(said)], ["silent"]);
  relay.set({ up: link, down: link });
  while ((await send()) !== "delivered") await sleep(30);
  t.equal(said.at(-1), "open");
  t.match(client.state, { status: "open", isNew: false });
  t.match(client.figures(), { sessions: 1, silences: 1, silencesOutlasted: 1 });
});
