import { randomBytes } from "node:crypto";
import { isIPv6 } from "node:net";
import { ConnectError, type Session, type SessionRequest } from "@sluice/transport";
import type { EngineListenOptions, EngineServer } from "../engine.js";
import type {
  FailsAnswer,
  FailsHeader,
  FailsModule,
  FailsServer,
  FailsServerSession,
} from "./fails-module.js";
import { createFailsSession } from "./fails-session.js";

/** Name of the one stream of sessions; paths are decided about by us. */
const SESSIONS = "/";
/** Sessions that may wait for `onSession`. */
const MAX_WAITING_SESSIONS = 64;

/** A peer that does not answer, or a library that does not tell, is not waited for longer. */
const GOODBYE_MS = 1000;

/** A server of `@fails-components/webtransport`. */
export class FailsTransportServer implements EngineServer {
  readonly #sessions = new Set<Session>();
  #onSession: ((session: Session, request: SessionRequest) => void) | undefined;
  #waiting: [Session, SessionRequest][] = [];
  #isClosing = false;

  private constructor(
    readonly server: FailsServer,
    readonly options: EngineListenOptions,
  ) {
    server.setRequestCallback(async ({ header }) => this.#answer(header));
    void this.#takeSessions(server.sessionStream(SESSIONS, { noAutoPaths: true }));
  }

  static async listen(module: FailsModule, options: EngineListenOptions): Promise<FailsTransportServer> {
    const server = new module.Http3Server({
      host: options.address,
      port: options.port,
      secret: randomBytes(32).toString("hex"),
      cert: options.certificate.cert,
      privKey: options.certificate.key,
      maxConnections: options.maxConnections,
      defaultDatagramsReadableMode: "default",
    });
    const listening = new FailsTransportServer(server, options);
    server.startServer();
    try {
      await server.ready;
    } catch (cause) {
      const message = cause instanceof Error ? cause.message : String(cause);
      throw new ConnectError("engine", `cannot listen on ${listening.url}: ${message}`, { cause });
    }
    return listening;
  }

  get url(): string {
    const { host, port } = this.options;
    return `https://${isIPv6(host) ? `[${host}]` : host}:${this.server.address()?.port ?? port}`;
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

  async close(code = 0, reason = ""): Promise<void> {
    if (this.#isClosing) return;
    this.#isClosing = true;
    const sessions = [...this.#sessions];
    for (const session of sessions) session.close(code, reason);
    await atMost(GOODBYE_MS, Promise.all(sessions.map((session) => session.closed)));
    this.server.stopServer();
    await atMost(GOODBYE_MS, this.server.closed);
  }

  async #answer(header: FailsHeader): Promise<FailsAnswer> {
    const request = toSessionRequest(header);
    if (this.#isFull) return { status: 503, path: SESSIONS };
    const decided = await this.options.decide(request);
    const status = decided === 200 && this.#isFull ? 503 : decided;
    return { status, path: SESSIONS, userData: { request } };
  }

  get #isFull(): boolean {
    return this.#isClosing || this.#sessions.size >= this.options.maxConnections;
  }

  async #takeSessions(sessions: AsyncIterable<FailsServerSession>): Promise<void> {
    try {
      for await (const transport of sessions) void this.#announce(transport);
    } catch (error) {
      this.options.log("error", "the server takes no more sessions", { error: String(error) });
    }
  }

  async #announce(transport: FailsServerSession): Promise<void> {
    try {
      await transport.ready;
    } catch {
      return;
    }
    const session = createFailsSession(transport);
    this.#sessions.add(session);
    void session.closed.then(() => this.#sessions.delete(session));
    const request = { ...requestOf(transport.userData), remoteAddress: transport.peerAddress ?? "" };
    if (this.#onSession !== undefined) this.#onSession(session, request);
    else if (this.#waiting.length < MAX_WAITING_SESSIONS) this.#waiting.push([session, request]);
    else session.close(0, "nobody takes sessions");
  }
}

async function atMost(limitMs: number, work: Promise<unknown>): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const limit = new Promise((resolve) => {
    timer = setTimeout(resolve, limitMs);
  });
  await Promise.race([work, limit]);
  clearTimeout(timer);
}

/** The library tells the peer's address only after the decision: it is empty here. */
function toSessionRequest(header: FailsHeader): SessionRequest {
  const entries = Object.entries(header).flatMap(([name, value]): [string, string][] => {
    if (value === undefined) return [];
    return [[name.toLowerCase(), typeof value === "string" ? value : value.join(", ")]];
  });
  const fields = new Map(entries);
  return {
    path: fields.get(":path") ?? "/",
    authority: fields.get(":authority") ?? "",
    headers: new Map(entries.filter(([name]) => !name.startsWith(":"))),
    remoteAddress: "",
  };
}

function requestOf(userData: object | undefined): SessionRequest {
  const request: unknown = userData === undefined ? undefined : Reflect.get(userData, "request");
  return (request as SessionRequest | undefined) ?? toSessionRequest({});
}
