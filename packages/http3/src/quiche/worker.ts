// Entry of the worker thread that owns QUIC and its UDP sockets.
import { parentPort, workerData } from "node:worker_threads";
import type { ToWorker } from "./messages.js";
import { QuicHost } from "./quic-host.js";

const port = parentPort;
if (port === null) throw new Error("this file runs in a worker thread only");

const shared = new Int32Array(workerData as SharedArrayBuffer);
const host = new QuicHost((messages, transfers) => port.postMessage(messages, transfers), shared);

port.on("message", (messages: readonly ToWorker[]) => {
  for (const message of messages) host.handle(message);
});
