// Entry of the worker thread that owns QUIC and its UDP sockets.
import { parentPort, workerData } from "node:worker_threads";
import { SHARED, type ToMain, type ToWorker } from "./messages.js";
import { QuicHost } from "./quic-host.js";

const port = parentPort;
if (port === null) throw new Error("this file runs in a worker thread only");

const shared = new Int32Array(workerData as SharedArrayBuffer);
let batches = 0;

/** Packets may wait so long, the main thread never: what it has posted before ends a sleep that has not begun. */
function nap(ms: number): void {
  Atomics.wait(shared, SHARED.BATCHES_POSTED, batches, ms);
}

const post = (messages: readonly ToMain[], transfers: readonly ArrayBuffer[]) =>
  port.postMessage(messages, transfers);
const host = new QuicHost(post, shared, undefined, nap);

port.on("message", (messages: readonly ToWorker[]) => {
  batches = (batches + 1) | 0;
  for (const message of messages) host.handle(message);
});
