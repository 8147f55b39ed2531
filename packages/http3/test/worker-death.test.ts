import { StreamError } from "@sluice/transport";
import t from "tap";
import { sharedQuicWorker } from "#src/quiche/quic-worker.js";
import { startServer } from "./open-pair.js";

t.test("a worker that dies takes its sessions along, and the server comes back", async (t) => {
  const logged: string[] = [];
  const { server, open } = await startServer({
    engine: "quiche",
    log: (level, message) => logged.push(`${level} ${message}`),
  });
  t.teardown(() => server.close());
  const pair = await open();
  const stream = await pair.client.openUnidirectional();
  await stream.write(new Uint8Array(10));
  await sharedQuicWorker().terminate("killed by a test");
  t.match(await pair.client.closed, { by: "transport", reason: /killed by a test/ });
  t.match(await pair.server.closed, { by: "transport" });
  await t.rejects(stream.write(new Uint8Array(10)), new StreamError("closed", 0));
  t.strictSame(logged, ["error the QUIC worker died"]);
  t.equal(pair.client.sendDatagram(new Uint8Array(1)), "closed");

  const again = await open();
  const arrived = new Promise<readonly Uint8Array[]>((resolve) => again.server.onDatagrams(resolve));
  t.equal(again.client.sendDatagram(Uint8Array.of(1, 2, 3)), "sent");
  t.strictSame([...((await arrived)[0] ?? [])], [1, 2, 3]);
  again.client.close();
});
