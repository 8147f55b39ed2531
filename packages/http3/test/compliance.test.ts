import { complianceCases } from "@sluice/transport";
import t from "tap";
import { startServer } from "./open-pair.js";

for (const retry of ["always", "never"] as const) {
  t.test(`quiche engine, retry ${retry}`, async (t) => {
    const { server, open } = await startServer({ retry });
    t.teardown(() => server.close());
    for (const { name, run } of complianceCases) {
      await t.test(name, async () => {
        const pair = await open();
        await run(pair);
        pair.client.close();
        pair.server.close();
      });
    }
  });
}
