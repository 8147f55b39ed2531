import { isIPv6 } from "node:net";
import { ConnectError, type Session, type SessionRequest } from "@sluice/transport";
import { Refusals } from "../admission/refusals.js";
import type { EngineListenOptions, EngineServer } from "../engine.js";
import type { EngineStats } from "../engine-stats.js";
import { DEFAULT_QUIC_OPTIONS } from "./config.js";
import type { RequestFacts, ToMain } from "./messages.js";
import { QuicSession } from "./quic-session.js";
import { type QuicWorker, sharedQuicWorker, type WorkerClient, type WorkerDeath } from "./quic-worker.js";

let nextServer = 1;

/** A server whose worker dies again and again listens again at once, then after pauses that double up to the longest. */
const FIRST_PAUSE_MS = 250;
const LONGEST_PAUSE_MS = 30_000;
/** After so long without trouble the pauses begin anew. */
const RESTART_WINDOW_MS = 60_000;
/** Sessions that may wait for `onSession`. */
const MAX_WAITING_SESSIONS = 64;
const STATUS_UNAVAILABLE = 503;

/** A listening server whose QUIC runs in the worker. */
export class QuicServer implements EngineServer, WorkerClient {
  readonly #handle = nextServer++;
  #worker: QuicWorker;
  #port: number;
  #isClosing = false;
  #isListening = false;
  /** It listened once, so it goes on trying. */
  #hasListened = false;
  #troubles = 0;
  #troubleAtMs = 0;
  #restartTimer: NodeJS.Timeout | undefined;
  #certificate: { readonly cert: string; readonly key: string };
  #connections = 0;
  #handshakes = 0;
  #retries = 0;
  readonly #refusals = new Refusals();
  readonly #dropped = { packets: 0, datagrams: 0, ignored: 0 };
  readonly #restarts = { hang: 0, crash: 0 };
  #onSession: ((session: Session, request: SessionRequest) => void) | undefined;
  #waiting: [Session, SessionRequest][] = [];
  #listening: { resolve(): void; reject(error: Error): void } | undefined;
  #closed: { promise: Promise<void>; resolve(): void } | undefined;

  private constructor(readonly options: EngineListenOptions) {
    this.#port = options.port;
    this.#certificate = options.certificate;
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

  setCertificate(certificate: { readonly cert: string; readonly key: string }): void {
    this.#certificate = certificate;
    this.#worker.post({
      type: "certificate",
      server: this.#handle,
      cert: certificate.cert,
      key: certificate.key,
    });
  }

  stats(): EngineStats {
    return {
      engine: "quiche",
      isListening: this.#isListening,
      connections: this.#connections,
      handshakes: this.#handshakes,
      retries: this.#retries,
      refused: this.#refusals.counts(),
      dropped: { ...this.#dropped },
      restarts: { ...this.#restarts },
    };
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
    this.#isListening = false;
    clearTimeout(this.#restartTimer);
    if (this.#worker.isDead || this.#restartTimer !== undefined) this.#finish();
    else this.#worker.post({ type: "close-server", server: this.#handle, code, reason });
    return promise;
  }

  handleMessage(message: ToMain): void {
    switch (message.type) {
      case "listening":
        this.#port = message.port;
        this.#isListening = !this.#isClosing;
        if (this.#hasListened) this.options.log("info", "the server listens again", { url: this.url });
        this.#hasListened = true;
        this.#listening?.resolve();
        return;
      case "listen-failed":
        if (this.#hasListened && !this.#isClosing) {
          // Somebody else may hold the port for a moment.
          this.options.log("error", "cannot listen again yet", { url: this.url, error: message.message });
          this.#worker.removeServer(this.#handle);
          this.#restart();
          return;
        }
        this.#isClosing = true;
        this.#listening?.reject(
          new ConnectError("engine", `cannot listen on ${this.url}: ${message.message}`),
        );
        this.#finish();
        return;
      case "request":
        void this.#handleRequest(message.session, message);
        return;
      case "server-figures":
        this.#connections = message.connections;
        this.#handshakes = message.handshakes;
        this.#retries += message.retries;
        this.#refusals.addAll(message.refused);
        this.#dropped.packets += message.dropped.packets;
        this.#dropped.datagrams += message.dropped.datagrams;
        this.#dropped.ignored += message.dropped.ignored;
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

  handleDeath(reason: string, kind: WorkerDeath): void {
    this.options.log("error", "the QUIC worker died", { reason, kind });
    this.#isListening = false;
    this.#connections = 0;
    this.#handshakes = 0;
    if (kind === "stuck") this.options.onStuck?.();
    else this.#restarts[kind] += 1;
    if (this.#isClosing) this.#finish();
    else if (this.#hasListened) this.#restart();
    else this.#listening?.reject(new ConnectError("engine", `the QUIC worker died: ${reason}`));
  }

  #restart(): void {
    const nowMs = performance.now();
    if (nowMs - this.#troubleAtMs > RESTART_WINDOW_MS) this.#troubles = 0;
    this.#troubleAtMs = nowMs;
    const pauseMs = Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** (this.#troubles - 1));
    this.#troubles += 1;
    // At once is after all others have heard of the death too: a worker is shared.
    this.#restartTimer = setTimeout(
      () => {
        this.#restartTimer = undefined;
        this.#worker = this.#start();
      },
      this.#troubles === 1 ? 0 : pauseMs,
    );
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
      cert: this.#certificate.cert,
      key: this.#certificate.key,
      admission: {
        retry: options.retry,
        maxConnections: options.maxConnections,
        maxConnectionsPerSource: options.maxConnectionsPerSource,
        newConnectionsPerSource: options.newConnectionsPerSource,
        exemptLoopback: options.exemptLoopback,
      },
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
    let isGone = false;
    // Held from here on, so that a client that leaves during the decision is noticed. It is a session once the worker
    // says that it is still there.
    worker.addSession(handle, {
      handleMessage: (message) => {
        if (message.type === "closed") isOver = true;
        if (message.type === "gone") {
          isGone = true;
          worker.removeSession(handle);
        }
        if (message.type !== "accepted") return;
        const session = new QuicSession(handle, worker, message);
        worker.addSession(handle, session);
        this.#announce(session, request);
      },
      handleDeath() {
        isGone = true;
      },
    });
    const decided = this.#isClosing ? STATUS_UNAVAILABLE : await this.options.decide(request);
    if (isGone) return;
    // A client that gave up during the decision has no session to be told of.
    const status = this.#isClosing || isOver ? STATUS_UNAVAILABLE : decided;
    if (status !== 200) worker.removeSession(handle);
    worker.post({ type: "answer", session: handle, status });
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
