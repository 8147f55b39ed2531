import { takeCensus } from "./census.js";
import { connectClient } from "./client-endpoint.js";
import { DeliveryGate, OPEN_GATE } from "./delivery-gate.js";
import { SHARED, type ToMain, type ToWorker } from "./messages.js";
import { Outbox } from "./outbox.js";
import { type EndpointContext, ServerEndpoint } from "./server-endpoint.js";
import { SessionRegistry } from "./session-registry.js";
import { type SameThread, TurnLoop } from "./turn-loop.js";

/** How often figures go to the main thread, and the watchdog is told that we live. */
const TICK_MS = 50;
const SCRATCH_BYTES = 65_536;

/** Owns QUIC and its UDP sockets: takes messages, sends messages. One is in each thread that runs QUIC. */
export class QuicHost implements EndpointContext {
  readonly loop: TurnLoop;
  readonly outbox: Outbox;
  readonly sessions: SessionRegistry;
  readonly scratch = new Uint8Array(SCRATCH_BYTES);
  readonly #servers = new Map<number, ServerEndpoint>();
  readonly #tick: NodeJS.Timeout;

  constructor(
    post: (messages: readonly ToMain[], transfers: readonly ArrayBuffer[]) => void,
    shared: Int32Array,
    sameThread?: SameThread,
    nap?: (ms: number) => void,
  ) {
    const gate = sameThread === undefined ? new DeliveryGate() : OPEN_GATE;
    this.outbox = new Outbox(post, gate, () => Atomics.load(shared, SHARED.BATCHES_TAKEN));
    this.sessions = new SessionRegistry(this.outbox);
    this.loop = new TurnLoop((nowMs) => this.outbox.flush(nowMs), sameThread, nap);
    this.#tick = setInterval(() => {
      Atomics.add(shared, SHARED.BEATS, 1);
      for (const session of this.sessions.ports()) session.reportPath();
      for (const server of this.#servers.values()) server.reportFigures();
      this.outbox.flush(performance.now());
    }, TICK_MS);
    // A worker ends with those who use it; here the sockets alone keep the process alive.
    if (sameThread !== undefined) this.#tick.unref();
    // From here on silence means a hang, not a slow start.
    Atomics.add(shared, SHARED.BEATS, 1);
    this.outbox.push({ type: "ready" });
    this.outbox.flush(performance.now());
  }

  handle(message: ToWorker): void {
    switch (message.type) {
      case "connect":
        connectClient(message, this).catch((error: unknown) => {
          this.outbox.push({
            type: "connect-failed",
            session: message.session,
            kind: "refused",
            message: String(error),
          });
          this.loop.schedule();
        });
        return;
      case "listen":
        ServerEndpoint.listen(message, this)
          .then((endpoint) => {
            if (this.loop.isStopped) endpoint.stop();
            this.#servers.set(message.server, endpoint);
            this.outbox.push({ type: "listening", server: message.server, port: endpoint.port });
          })
          .catch((error: unknown) => {
            this.outbox.push({ type: "listen-failed", server: message.server, message: String(error) });
          })
          .finally(() => this.loop.schedule());
        return;
      case "close-server":
        this.#servers.get(message.server)?.close(message.code, message.reason);
        this.#servers.delete(message.server);
        return;
      case "census":
        this.outbox.push({
          type: "census",
          id: message.id,
          census: takeCensus(this.#servers.values(), this.sessions, this.loop),
        });
        this.loop.schedule();
        return;
      case "certificate":
        this.#servers.get(message.server)?.setCertificate(message.cert, message.key);
        return;
      case "answer": {
        const session = this.sessions.get(message.session);
        if (session === undefined) return;
        session.answer(message.status);
        if (message.status !== 200) this.sessions.remove(session);
        this.loop.schedule(session.connection);
        return;
      }
      default: {
        const session = this.sessions.get(message.session);
        if (session === undefined) return;
        session.handleMessage(message);
        this.loop.schedule(session.connection);
      }
    }
  }

  /** Ends at once: what it carries is lost, and nobody is told. */
  stop(): void {
    clearInterval(this.#tick);
    this.outbox.stop();
    for (const connection of this.loop.stop()) connection.socket.close();
    for (const server of this.#servers.values()) server.stop();
  }
}
