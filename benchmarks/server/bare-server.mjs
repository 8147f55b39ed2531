// The control of the latency: the engine behind a bare UDP socket, which is the least that any server does. Started by
// fork; says `{ ready: { port } }`. It runs what it has prepared, for decoding is a part of what it is compared with.
import { createSocket } from "node:dgram";
import { performance } from "node:perf_hooks";
import process from "node:process";
import { readHeader, writeAnswer } from "./bare-wire.mjs";
import { openWorkload } from "./workloads.mjs";

process.once("message", async ({ workload }) => {
  const { network, inputs } = await openWorkload(workload);
  const engine = await network.load();
  const socket = createSocket("udp4");
  const missing = new Map();
  socket.on("message", async (datagram, { address, port }) => {
    const { frame, count } = readHeader(datagram);
    const key = `${port} ${frame}`;
    const left = (missing.get(key) ?? count) - 1;
    if (left > 0) {
      missing.set(key, left);
      return;
    }
    missing.delete(key);
    const startMs = performance.now();
    await engine.runBatch([inputs[frame % inputs.length]]);
    socket.send(writeAnswer({ frame, inferenceMs: performance.now() - startMs }), port, address);
  });
  socket.bind(0, "127.0.0.1", () => process.send({ ready: socket.address() }));
});
process.once("disconnect", () => process.exit(0));
