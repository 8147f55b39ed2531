import { isIPv6 } from "node:net";
import { ConnectError, type Session, type SessionRequest, type TransportServer } from "@sluice/transport";
import type { EngineListenOptions } from "../engine.js";
import { findFreePort, isPortFreeSoon } from "./port.js";
import { checkIpv6 } from "./quinn-client.js";
import { systemErrorOf, textOf } from "./quinn-error.js";
import type { NativeRequest, NativeServer, QuinnModule } from "./quinn-module.js";
import { QuinnSession } from "./quinn-session.js";
import { UnknownHeaders } from "./unknown-headers.js";

/** Sessions that may wait for `onSession`. */
const MAX_WAITING_SESSIONS = 64;
/** A peer, or the binding, that does not answer is not waited for longer. */
const GOODBYE_MS = 1000;
/** A port that was free a moment ago may be taken; so often another one is tried. */
const PORT_ATTEMPTS = 10;

/** A server on quinn. */
export class QuinnServer implements TransportServer {
  readonly #sessions = new Set<QuinnSession>();
  #opening = 0;
  #onSession: ((session: Session, request: SessionRequest) => void) | undefined;
  #waiting: [Session, SessionRequest][] = [];
  #closing: Promise<void> | undefined;
  readonly #accepting: Promise<void>;

  private constructor(
    readonly module: QuinnModule,
    readonly native: NativeServer,
    readonly options: EngineListenOptions,
    readonly port: number,
  ) {
    this.#accepting = this.#acceptAll();
  }

  static async listen(module: QuinnModule, options: EngineListenOptions): Promise<QuinnServer> {
    const { cert, key } = options.certificate;
    for (let attempt = 1; ; attempt++) {
      const port = options.port === 0 ? await findFreePort(options.address) : options.port;
      try {
        const at = formatAddress(options.address, port);
        const native = module.NapiServer.bind(at, Buffer.from(cert), Buffer.from(key));
        return new QuinnServer(module, native, options, port);
      } catch (cause) {
        const system = systemErrorOf(textOf(cause));
        if (system === "EADDRINUSE" && options.port === 0 && attempt < PORT_ATTEMPTS) continue;
        const where = `https://${formatAddress(options.host, port)}`;
        const reason = [system, textOf(cause)].filter((part) => part !== undefined).join(": ");
        throw new ConnectError("engine", `cannot listen on ${where}: ${reason}`, { cause });
      }
    }
  }

  get url(): string {
    return `https://${formatAddress(this.options.host, this.port)}`;
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
    this.#closing ??= this.#close(code, reason);
    return this.#closing;
  }

  async #close(code: number, reason: string): Promise<void> {
    const sessions = [...this.#sessions];
    for (const session of sessions) session.close(code, reason);
    await atMost(GOODBYE_MS, Promise.all(sessions.map((session) => session.gone)));
    for (const session of sessions) session.release();
    this.#knock().catch(() => {});
    // `close` of the binding would block this thread for ever while it still accepts.
    const hasEnded = await atMost(GOODBYE_MS, this.#accepting);
    if (hasEnded) this.native.close();
    if (hasEnded && (await isPortFreeSoon(this.options.address, this.port))) return;
    this.options.log("error", "quinn keeps the port of a closed server", { url: this.url });
  }

  /** Only a request ends a pending `accept` of the binding, so the server makes one itself. */
  async #knock(): Promise<void> {
    await checkIpv6();
    const { address, certificateHash } = this.options;
    const loopback = address === "0.0.0.0" ? "127.0.0.1" : address === "::" ? "::1" : address;
    const client = this.module.NapiClient.withCertificateHashes([Buffer.from(certificateHash, "hex")]);
    await client.connect(`https://${formatAddress(loopback, this.port)}/`, null);
  }

  async #acceptAll(): Promise<void> {
    for (;;) {
      const request = await this.native.accept();
      if (request === null) return;
      this.#answer(request).catch((error: unknown) => {
        this.options.log("debug", "a session did not open", { error: textOf(error) });
      });
      if (this.#closing !== undefined) return;
    }
  }

  async #answer(native: NativeRequest): Promise<void> {
    const request = toSessionRequest(await native.url);
    if (request === undefined || this.#isFull) {
      await native.reject(request === undefined ? 400 : 503);
      return;
    }
    // Counted while it is decided about, so that neither decisions nor sessions become too many.
    this.#opening += 1;
    try {
      const status = await this.#decide(request);
      if (status === 200) this.#announce(new QuinnSession(await native.ok()), request);
      else await native.reject(status);
    } finally {
      this.#opening -= 1;
    }
  }

  get #isFull(): boolean {
    const count = this.#sessions.size + this.#opening;
    return this.#closing !== undefined || count >= this.options.maxConnections;
  }

  async #decide(request: SessionRequest): Promise<number> {
    const { decide, handshakeTimeoutMs, log } = this.options;
    let status = 500;
    const decision = (async () => {
      status = await decide(request);
    })().catch((error: unknown) => log("error", "authorize threw", { error: textOf(error) }));
    const isInTime = await atMost(handshakeTimeoutMs, decision);
    return isInTime && this.#closing === undefined ? status : 503;
  }

  #announce(session: QuinnSession, request: SessionRequest): void {
    this.#sessions.add(session);
    void session.closed.then(() => this.#sessions.delete(session));
    if (this.#closing !== undefined) session.close(0, "the server is closing");
    else if (this.#onSession !== undefined) this.#onSession(session, request);
    else if (this.#waiting.length < MAX_WAITING_SESSIONS) this.#waiting.push([session, request]);
    else session.close(0, "nobody takes sessions");
  }
}

function formatAddress(host: string, port: number): string {
  return `${isIPv6(host) ? `[${host}]` : host}:${port}`;
}

/** Headers and the peer's address are not told; `onSession` gets the same object. */
function toSessionRequest(text: string): SessionRequest | undefined {
  if (!URL.canParse(text)) return undefined;
  const { pathname, search, host } = new URL(text);
  return { path: pathname + search, authority: host, headers: new UnknownHeaders(), remoteAddress: "" };
}

/** Whether `work` ended in time. */
async function atMost(limitMs: number, work: Promise<unknown>): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined;
  const limit = new Promise<false>((resolve) => {
    timer = setTimeout(() => resolve(false), limitMs);
  });
  const isInTime = await Promise.race([work.then(() => true), limit]);
  clearTimeout(timer);
  return isInTime;
}
