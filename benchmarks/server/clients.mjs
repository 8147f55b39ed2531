// Well-behaved clients, several sessions in one process. Started by fork; each message is a window to run, answered
// with what became of its frames. Says `{ ready }` once all sessions are open.
import process from "node:process";
import { createClient } from "../../packages/client/dist/index.js";
import { connect } from "../../packages/http3/dist/index.js";
import { offerSteadily } from "./steady-load.mjs";
import { openWorkload } from "./workloads.mjs";

async function openStreams({ url, certificateHash, count, workload, deadlineMs }) {
  const { stream, tensors } = await openWorkload(workload);
  const streams = [];
  for (let i = 0; i < count; i++) {
    const client = await createClient(await connect(url, { certificateHash }));
    streams.push(await client.openStream({ ...stream, deadlineMs }));
  }
  return { clients: streams, items: tensors, deadlineMs, send: (stream, tensor) => stream.send(tensor) };
}

process.once("message", async (options) => {
  const opened = await openStreams(options);
  process.on("message", async (window) => process.send({ result: await offerSteadily(opened, window) }));
  process.send({ ready: true });
});
process.once("disconnect", () => process.exit(0));
