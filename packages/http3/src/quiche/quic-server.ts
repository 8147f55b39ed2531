import { isIPv6 } from "node:net";
import { ConnectError, type Session, type SessionRequest, type TransportServer } from "@sluice/transport";
import type { EngineListenOptions } from "../engine.js";
import { DEFAULT_QUIC_OPTIONS } from "./config.js";
import type { RequestFacts, ToMain } from "./messages.js";
import { QuicSession } from "./quic-session.js";
import { type QuicWorker, sharedQuicWorker, type WorkerClient } from "./quic-worker.js";

let nextServer = 1;

/** A worker that dies is replaced, but not endlessly. */
const MAX_RESTARTS = 5;
const RESTART_WINDOW_MS = 60_000;
/** Sessions that may wait for `onSession`. */
const MAX_WAITING_SESSIONS = 64;
const STATUS_ERROR = 500;
const STATUS_UNAVAILABLE = 503;

/** A listening server whose QUIC runs in the worker. */
export class QuicServer implements TransportServer, WorkerClient {
  readonly #handle = nextServer++;
  #worker: QuicWorker;
  #port: number;
  #isClosing = false;
  #restarts: number[] = [];
  #onSession: ((session: Session, request: SessionRequest) => void) | undefined;
  #waiting: [Session, SessionRequest][] = [];
  #listening: { resolve(): void; reject(error: Error): void } | undefined;
  #closed: { promise: Promise<void>; resolve(): void } | undefined;

  private constructor(readonly options: EngineListenOptions) {
    this.#port = options.port;
    this.#worker = this.#start();
  }

  static async listen(options: EngineListenOptions): Promise<QuicServer> {
    const server = new QuicServer(options);
    await new Promise<void>((resolve, reject) => {
      server.#listening = { resolve, reject };
    });
    return server;
  }

  get url(): string {
    const { host } = this.options;
    return `https://${isIPv6(host) ? `[${host}]` : host}:${this.#port}`;
  }

  get certificateHash(): string {
    return this.options.certificateHash;
  }

  onSession(handler: (session: Session, request: SessionRequest) => void): void {
    this.#onSession = handler;
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const [session, request] of waiting) queueMicrotask(() => handler(session, request));
  }

  close(code = 0, reason = ""): Promise<void> {
    if (this.#closed !== undefined) return this.#closed.promise;
    let resolve = () => {};
    const promise = new Promise<void>((done) => {
      resolve = done;
    });
    this.#closed = { promise, resolve };
    this.#isClosing = true;
    if (this.#worker.isDead) resolve();
    else this.#worker.post({ type: "close-server", server: this.#handle, code, reason });
    return promise;
  }

  handleMessage(message: ToMain): void {
    switch (message.type) {
      case "listening":
        this.#port = message.port;
        this.#listening?.resolve();
        return;
      case "listen-failed":
        this.#isClosing = true;
        this.#listening?.reject(
          new ConnectError("engine", `cannot listen on ${this.url}: ${message.message}`),
        );
        this.#finish();
        return;
      case "request":
        void this.#handleRequest(message.session, message);
        return;
      case "server-closed":
        this.#finish();
        return;
      case "log":
        this.options.log(message.level, message.message, message.fields);
        return;
      default:
        return;
    }
  }

  handleDeath(reason: string): void {
    this.options.log("error", "the QUIC worker died", { reason });
    if (this.#isClosing) {
      this.#finish();
      return;
    }
    const nowMs = Date.now();
    this.#restarts = this.#restarts.filter((atMs) => nowMs - atMs < RESTART_WINDOW_MS);
    if (this.#restarts.length >= MAX_RESTARTS) {
      this.options.log("error", "the QUIC worker died too often; the server stays down", {});
      this.#listening?.reject(new ConnectError("engine", `the QUIC worker died: ${reason}`));
      return;
    }
    this.#restarts.push(nowMs);
    this.#worker = this.#start();
  }

  #start(): QuicWorker {
    const worker = sharedQuicWorker();
    const { options } = this;
    worker.addServer(this.#handle, this);
    worker.post({
      type: "listen",
      server: this.#handle,
      host: options.address,
      port: this.#port,
      cert: options.certificate.cert,
      key: options.certificate.key,
      retry: options.retry,
      maxConnections: options.maxConnections,
      handshakeTimeoutMs: options.handshakeTimeoutMs,
      quic: {
        ...DEFAULT_QUIC_OPTIONS,
        idleTimeoutMs: options.idleTimeoutMs,
        maxPacketBytes: options.maxPacketBytes,
      },
    });
    return worker;
  }

  async #handleRequest(handle: number, facts: RequestFacts): Promise<void> {
    const { path, authority, remoteAddress } = facts;
    const request: SessionRequest = { path, authority, remoteAddress, headers: new Map(facts.headers) };
    const worker = this.#worker;
    let isOver = false;
    // Held until the worker says that it is still there; then it is a session.
    worker.addSession(handle, {
      handleMessage: (message) => {
        if (message.type === "closed") isOver = true;
        if (message.type === "gone") worker.removeSession(handle);
        if (message.type !== "accepted") return;
        const session = new QuicSession(handle, worker, message);
        worker.addSession(handle, session);
        this.#announce(session, request);
      },
      handleDeath() {},
    });
    const status = await this.#decide(request);
    // A client that gave up during the decision has no session to be told of.
    worker.post({ type: "answer", session: handle, status: isOver ? STATUS_UNAVAILABLE : status });
  }

  async #decide(request: SessionRequest): Promise<number> {
    if (this.#isClosing) return STATUS_UNAVAILABLE;
    try {
      const status = await this.options.decide(request);
      return this.#isClosing ? STATUS_UNAVAILABLE : status;
    } catch (error) {
      this.options.log("error", "authorize threw", { error: String(error) });
      return STATUS_ERROR;
    }
  }

  #announce(session: Session, request: SessionRequest): void {
    if (this.#onSession !== undefined) this.#onSession(session, request);
    else if (this.#waiting.length < MAX_WAITING_SESSIONS) this.#waiting.push([session, request]);
    else session.close(0, "nobody takes sessions");
  }

  #finish(): void {
    this.#worker.removeServer(this.#handle);
    this.#closed?.resolve();
  }
}
