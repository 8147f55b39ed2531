import { connect, listen } from "@sluice/http3";
import { complianceCases, type Session } from "@sluice/transport";
import t from "tap";

/** Both with this package under one of them; both under the library at once is a test of `http3`. */
const pairs = [
  { client: "fails", server: "quiche" },
  { client: "quiche", server: "fails" },
] as const;

for (const engines of pairs) {
  t.test(`engine ${engines.client} against a server of ${engines.server}`, async (t) => {
    const server = await listen({ port: 0, engine: engines.server });
    t.teardown(() => server.close());
    const waiting: ((session: Session) => void)[] = [];
    server.onSession((session) => waiting.shift()?.(session));
    for (const { name, needs, run } of complianceCases) {
      const skip = needs === "wide-codes" && "the library cuts codes to 255";
      await t.test(name, { skip }, async () => {
        const arrived = new Promise<Session>((resolve) => waiting.push(resolve));
        const client = await connect(server.url, {
          certificateHash: server.certificateHash ?? "",
          engine: engines.client,
        });
        const pair = { client, server: await arrived };
        await run(pair);
        pair.client.close();
        pair.server.close();
      });
    }
  });
}
