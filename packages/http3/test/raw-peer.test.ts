import { setTimeout as delay } from "node:timers/promises";
import t from "tap";
import type { ProcessCensus } from "./robustness/census.js";
import { Child } from "./robustness/child.js";
import type { ServerAddress } from "./robustness/server-process.js";

const POLL_MS = 20;

t.test("a peer that speaks no HTTP/3 is told so in the handshake (RFC 9001 8.1)", async (t) => {
  const server = new Child("server-process");
  const peer = new Child("hostile-process");
  t.teardown(() => Promise.all([server.end(), peer.end()]));
  const { port } = await server.call<ServerAddress>("listen");
  t.equal(await peer.call("negotiate", { port, protocol: "hq-interop" }), 0x178);
  t.equal(await peer.call("negotiate", { port, protocol: "h3" }), undefined);
});

t.test("sessions that end are forgotten while their connection goes on", async (t) => {
  const server = new Child("server-process");
  const peer = new Child("hostile-process");
  t.teardown(() => Promise.all([server.end(), peer.end()]));
  const { port } = await server.call<ServerAddress>("listen");
  await peer.call("reuse", { port, count: 50 });
  let census = await server.call<ProcessCensus>("census");
  // The last one may be on its way; the limit of the test ends this.
  while (census.worker.sessions + census.clients > 3) {
    await delay(POLL_MS);
    census = await server.call<ProcessCensus>("census");
  }
  t.equal(census.worker.connections, 1);
  t.equal(census.worker.sessions, 1, "the first session");
  t.equal(census.clients, 2, "the first session and the server");
  t.strictSame(census.faults, []);
});
