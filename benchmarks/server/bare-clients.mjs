// The clients of the control of the latency: bare UDP sockets that send what the sessions of clients.mjs send, at the
// same ticks. Started by fork, as those are.
import { createSocket } from "node:dgram";
import { once } from "node:events";
import { performance } from "node:perf_hooks";
import process from "node:process";
import { frameHeaderBytes, readAnswer, writeHeader } from "./bare-wire.mjs";
import { offerSteadily } from "./steady-load.mjs";
import { encodeTensors, openWorkload } from "./workloads.mjs";

/** A socket of its own for each client, and the frames that it waits for. */
async function openSocket(port) {
  const socket = createSocket("udp4");
  socket.connect(port, "127.0.0.1");
  await once(socket, "connect");
  const waiting = new Map();
  socket.on("message", (datagram) => {
    const { frame, inferenceMs } = readAnswer(datagram);
    waiting.get(frame)?.(inferenceMs);
  });
  return { socket, waiting, frames: 0 };
}

async function send(client, slices, deadlineMs) {
  const startMs = performance.now();
  const frame = client.frames++;
  const answered = new Promise((resolve) => client.waiting.set(frame, resolve));
  const lost = setTimeout(() => client.waiting.get(frame)?.(), deadlineMs);
  slices.forEach(({ payload }, index) => {
    const datagram = Buffer.alloc(frameHeaderBytes + payload.length);
    writeHeader(datagram, { frame, index, count: slices.length });
    datagram.set(payload, frameHeaderBytes);
    client.socket.send(datagram);
  });
  const inferenceMs = await answered;
  clearTimeout(lost);
  client.waiting.delete(frame);
  const latencyMs = performance.now() - startMs;
  return inferenceMs === undefined
    ? { status: "lost" }
    : {
        status: "delivered",
        onTime: latencyMs <= deadlineMs,
        latencyMs,
        timings: { inference: inferenceMs },
      };
}

process.once("message", async ({ port, workload, count, deadlineMs }) => {
  const items = await encodeTensors(await openWorkload(workload));
  const clients = [];
  for (let i = 0; i < count; i++) clients.push(await openSocket(port));
  const load = { clients, items, deadlineMs, send: (client, item) => send(client, item, deadlineMs) };
  process.on("message", async (window) => process.send({ result: await offerSteadily(load, window) }));
  process.send({ ready: true });
});
process.once("disconnect", () => process.exit(0));
