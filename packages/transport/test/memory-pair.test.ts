import { complianceCases, createMemoryPair, StreamError } from "@sluice/transport";
import t from "tap";

for (const { name, needs, run } of complianceCases) {
  t.test(`memory pair: ${name}`, () => run(createMemoryPair()));
  const skip = needs?.endsWith("datagrams") ? "this pair has no datagrams" : false;
  t.test(`memory pair without datagrams: ${name}`, { skip }, () =>
    run(createMemoryPair({ maxDatagramBytes: 0 })),
  );
}

t.test("a full datagram queue refuses and counts", async (t) => {
  const { client, server } = createMemoryPair({ maxQueuedDatagrams: 2 });
  const data = new Uint8Array(4);
  t.strictSame(
    [1, 2, 3].map(() => client.sendDatagram(data)),
    ["sent", "sent", "queue-full"],
  );
  t.equal(client.stats().datagramsQueued, 2);
  t.equal(client.stats().datagramsDroppedOutgoing, 1);
  const batch = await new Promise<readonly Uint8Array[]>((resolve) => server.onDatagrams(resolve));
  t.equal(batch.length, 2);
  t.equal(client.stats().datagramsQueued, 0);
});

t.test("the largest datagram changes under a session, and both ends are told", async (t) => {
  const pair = createMemoryPair({ maxDatagramBytes: 100 });
  const told: string[] = [];
  pair.client.onMaxDatagramBytes((bytes) => told.push(`client ${bytes}`));
  pair.server.onMaxDatagramBytes((bytes) => told.push(`server ${bytes}`));
  for (const bytes of [50, 50, 200]) pair.setMaxDatagramBytes(bytes);
  t.strictSame(told, ["client 50", "server 50", "client 200", "server 200"]);
  t.equal(pair.client.sendDatagram(new Uint8Array(200)), "sent");
  t.equal(pair.client.sendDatagram(new Uint8Array(201)), "too-big");
  t.throws(() => pair.setMaxDatagramBytes(-1), /maxDatagramBytes/);
});

t.test("the sender may reuse its bytes at once", async (t) => {
  const { client, server } = createMemoryPair();
  const data = Uint8Array.of(1, 2, 3);
  client.sendDatagram(data);
  data.fill(9);
  const batch = await new Promise<readonly Uint8Array[]>((resolve) => server.onDatagrams(resolve));
  t.strictSame([...(batch[0] ?? [])], [1, 2, 3]);
});

t.test("streams that nobody takes are refused beyond the limit", async (t) => {
  const { client } = createMemoryPair({ maxWaitingStreams: 1 });
  const first = await client.openUnidirectional();
  await first.write(Uint8Array.of(1));
  const second = await client.openUnidirectional();
  await t.rejects(second.write(Uint8Array.of(1)), new StreamError("stopped", 0));
});

t.test("options are checked by name", async (t) => {
  t.throws(() => createMemoryPair({ maxDatagramBytes: -1 }), /maxDatagramBytes/);
  t.throws(() => createMemoryPair({ streamWindowBytes: 1.5 }), /streamWindowBytes/);
});
