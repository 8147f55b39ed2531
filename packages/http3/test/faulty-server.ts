// A server in a process of its own, whose worker fails on request.
import { connect, listen } from "@sluice/http3";
import { type Fault, runFaultyWorkers } from "./worker-faults.js";

const inject = runFaultyWorkers();
const server = await listen({ port: 0, engine: "quiche" });
server.onSession((session) => {
  session.onDatagrams((batch) => {
    for (const data of batch) session.sendDatagram(data);
  });
});
// A client in the same process, which shares the worker.
const inside = await connect(server.url, { engine: "quiche", certificateHash: server.certificateHash });
void inside.closed.then((info) => process.send?.({ type: "inside-closed", info }));
process.on("message", (message: Fault | "stats" | "end") => {
  if (message === "stats") process.send?.({ type: "stats", stats: server.stats(), url: server.url });
  else if (message === "end") void server.close().then(() => process.disconnect());
  else inject(message);
});
process.send?.({ type: "listening", url: server.url, hash: server.certificateHash });
