/** What serves a stream is let go of when the stream has ended, however it ends. */
import { createClient } from "@sluice/client";
import { createSinkModel } from "@sluice/server";
import { createTensor } from "@sluice/tensor";
import t from "tap";
import { createMemoryServer } from "./memory-server.js";

const spec = { dtype: "uint8", shape: [2, 2, 2], layout: "any" } as const;

/** A server that counts what is held. */
function createCountingServer(loading: Promise<void> = Promise.resolve()) {
  const held = { now: 0, ever: 0 };
  const sink = createSinkModel();
  const memory = createMemoryServer({
    openServedStream: async () => {
      held.now++;
      held.ever++;
      await loading;
      return { ...sink, release: () => void held.now-- };
    },
  });
  return { ...memory, held };
}

async function until(isTrue: () => boolean): Promise<void> {
  while (!isTrue()) await new Promise((resolve) => setTimeout(resolve, 1));
}

t.test("a stream that is closed, and a session that ends", async (t) => {
  const { connect, server, held } = createCountingServer();
  const client = await createClient(connect());
  const first = await client.openStream({ model: "sink", spec });
  await client.openStream({ model: "sink", spec });
  const third = await client.openStream({ model: "sink", spec });
  t.equal(held.now, 3);
  t.match(await first.send(createTensor("uint8", spec.shape, undefined, "any")), { status: "delivered" });
  first.close();
  third.close();
  await until(() => held.now < 2);
  t.equal(held.now, 1);
  client.close();
  await until(() => held.now === 0);
  t.equal(held.ever, 3);
  await server.close();
});

t.test("a session that ends while the network is loaded", async (t) => {
  let loaded = () => {};
  const loading = new Promise<void>((resolve) => {
    loaded = resolve;
  });
  const { connect, server, held } = createCountingServer(loading);
  const client = await createClient(connect());
  const opening = client.openStream({ model: "sink", spec });
  await until(() => held.now === 1);
  client.close();
  await t.rejects(opening);
  await until(() => server.sessions === 0);
  t.equal(held.now, 1);
  loaded();
  await until(() => held.now === 0);
  await server.close();
});

t.test("a stream that is refused after its network was found", async (t) => {
  const { connect, server, held } = createCountingServer();
  const client = await createClient(connect());
  // Its statistics are missing, which the server sees when it has them.
  await t.rejects(client.openStream({ model: "sink", spec, concealment: "data-set-mean" }), {
    message: /needs statistics/,
  });
  t.same(held, { now: 0, ever: 1 });
  client.close();
  await server.close();
});
