// Entry of the worker thread that owns QUIC and its UDP sockets.
import { parentPort, workerData } from "node:worker_threads";
import { takeCensus } from "./census.js";
import { connectClient } from "./client-endpoint.js";
import { SHARED, type ToWorker } from "./messages.js";
import { Outbox } from "./outbox.js";
import { type EndpointContext, ServerEndpoint } from "./server-endpoint.js";
import { SessionRegistry } from "./session-registry.js";
import { TurnLoop } from "./turn-loop.js";

/** How often figures go to the main thread, and the watchdog is told that we live. */
const TICK_MS = 50;
const SCRATCH_BYTES = 65_536;

const port = parentPort;
if (port === null) throw new Error("this file runs in a worker thread only");

const shared = new Int32Array(workerData as SharedArrayBuffer);
const outbox = new Outbox(port, () => Atomics.load(shared, SHARED.BATCHES_TAKEN));
const sessions = new SessionRegistry(outbox);
const servers = new Map<number, ServerEndpoint>();
const loop = new TurnLoop((nowMs) => outbox.flush(nowMs));
const context: EndpointContext = { loop, outbox, sessions, scratch: new Uint8Array(SCRATCH_BYTES) };

setInterval(() => {
  Atomics.add(shared, SHARED.BEATS, 1);
  for (const session of sessions.ports()) session.reportPath();
  for (const server of servers.values()) server.reportFigures();
  outbox.flush(performance.now());
}, TICK_MS);

function handle(message: ToWorker): void {
  switch (message.type) {
    case "connect":
      connectClient(message, context).catch((error: unknown) => {
        outbox.push({
          type: "connect-failed",
          session: message.session,
          kind: "refused",
          message: String(error),
        });
        loop.schedule();
      });
      return;
    case "listen":
      ServerEndpoint.listen(message, context)
        .then((endpoint) => {
          servers.set(message.server, endpoint);
          outbox.push({ type: "listening", server: message.server, port: endpoint.port });
        })
        .catch((error: unknown) => {
          outbox.push({ type: "listen-failed", server: message.server, message: String(error) });
        })
        .finally(() => loop.schedule());
      return;
    case "close-server":
      servers.get(message.server)?.close(message.code, message.reason);
      servers.delete(message.server);
      return;
    case "census":
      outbox.push({ type: "census", id: message.id, census: takeCensus(servers.values(), sessions, loop) });
      loop.schedule();
      return;
    case "certificate":
      servers.get(message.server)?.setCertificate(message.cert, message.key);
      return;
    case "answer": {
      const session = sessions.get(message.session);
      if (session === undefined) return;
      session.answer(message.status);
      if (message.status !== 200) sessions.remove(session);
      loop.schedule(session.connection);
      return;
    }
    default: {
      const session = sessions.get(message.session);
      if (session === undefined) return;
      session.handleMessage(message);
      loop.schedule(session.connection);
    }
  }
}

outbox.push({ type: "ready" });
outbox.flush(performance.now());

port.on("message", (messages: readonly ToWorker[]) => {
  for (const message of messages) handle(message);
});
