import { type IncomingMessage, STATUS_CODES } from "node:http";
import { createServer, type Server } from "node:https";
import { isIPv6, type Socket } from "node:net";
import type { Duplex } from "node:stream";
import {
  ConnectError,
  MAX_MESSAGE_BYTES,
  MUX_PROTOCOL,
  MuxSession,
  type Session,
  type SessionRequest,
} from "@sluice/transport";
import { type WebSocket, WebSocketServer } from "ws";
import { Admission, GIVEN_WAY, type Place } from "../admission/admission.js";
import { Refusals } from "../admission/refusals.js";
import type { EngineListenOptions, EngineServer } from "../engine.js";
import type { EngineStats } from "../engine-stats.js";
import { WsChannel } from "./ws-channel.js";

/** Sessions that may wait for `onSession`. */
const MAX_WAITING_SESSIONS = 64;
/** TCP connections beyond each limit that may shake hands, to be refused with a status. */
const SPARE_CONNECTIONS = { total: 64, perSource: 4 };
/** What Node says of a client that does not get on with TLS or its request. */
const TIMEOUT_CODES = ["ERR_TLS_HANDSHAKE_TIMEOUT", "ERR_HTTP_REQUEST_TIMEOUT"];
/** A server that ends (RFC 9110 15.6.4). */
const STATUS_UNAVAILABLE = 503;
/** Sessions get so long to say goodbye when the server closes. */
const GOODBYE_MS = 500;

/** A server of sessions over `wss`. */
export class WsServer implements EngineServer {
  readonly #sessions = new Set<MuxSession>();
  readonly #sockets = new Set<Socket>();
  /** What each TCP connection takes of the limits, by its remote address and port. */
  readonly #places = new Map<string, Place>();
  readonly #admission: Admission;
  readonly #refusals = new Refusals();
  readonly #webSockets: WebSocketServer;
  #port = 0;
  #onSession: ((session: Session, request: SessionRequest) => void) | undefined;
  #waiting: [Session, SessionRequest][] = [];
  #closing: Promise<void> | undefined;

  private constructor(
    readonly http: Server,
    readonly options: EngineListenOptions,
  ) {
    this.#webSockets = new WebSocketServer({
      noServer: true,
      clientTracking: false,
      perMessageDeflate: false,
      maxPayload: MAX_MESSAGE_BYTES,
      handleProtocols: (protocols) => protocols.has(MUX_PROTOCOL) && MUX_PROTOCOL,
    });
    this.#admission = new Admission(options, SPARE_CONNECTIONS);
    http.on("connection", (socket: Socket) => this.#admit(socket));
    http.on("request", (_, response) => {
      response.writeHead(426, { upgrade: "websocket", connection: "upgrade, close" }).end();
    });
    http.on("upgrade", (request, socket, head) => void this.#upgrade(request, socket, head));
    // A client that breaks the handshake, of TLS or of HTTP, is its own affair.
    http.on("clientError", (error: Error & { code?: string }, socket) => {
      if (TIMEOUT_CODES.includes(error.code ?? "")) this.#refusals.add("handshake-timeout");
      options.log("debug", "a handshake failed", { error: error.message });
      socket.destroy();
    });
  }

  static async listen(options: EngineListenOptions): Promise<WsServer> {
    const http = createServer({
      cert: options.certificate.cert,
      key: options.certificate.key,
      minVersion: "TLSv1.2",
      handshakeTimeout: options.handshakeTimeoutMs,
      headersTimeout: options.handshakeTimeoutMs,
      requestTimeout: options.handshakeTimeoutMs,
      connectionsCheckingInterval: Math.min(1000, options.handshakeTimeoutMs),
    });
    const server = new WsServer(http, options);
    await new Promise<void>((resolve, reject) => {
      http.once("error", (error) => {
        const where = server.url;
        reject(new ConnectError("engine", `cannot listen on ${where}: ${error.message}`, { cause: error }));
      });
      http.listen(options.port, options.address, resolve);
    });
    http.on("error", (error) => options.log("error", "the HTTPS server failed", { error: error.message }));
    const address = http.address();
    if (typeof address === "object" && address !== null) server.#port = address.port;
    return server;
  }

  get url(): string {
    const { host, port } = this.options;
    return `https://${isIPv6(host) ? `[${host}]` : host}:${this.#port || port}`;
  }

  get certificateHash(): string {
    return this.options.certificateHash;
  }

  setCertificate({ cert, key }: { readonly cert: string; readonly key: string }): void {
    this.http.setSecureContext({ cert, key, minVersion: "TLSv1.2" });
  }

  stats(): EngineStats {
    return {
      engine: "websocket",
      isListening: this.http.listening,
      connections: this.#admission.connections,
      handshakes: this.#admission.handshakes,
      retries: 0,
      refused: this.#refusals.counts(),
      restarts: { hang: 0, crash: 0 },
    };
  }

  onSession(handler: (session: Session, request: SessionRequest) => void): void {
    this.#onSession = handler;
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const [session, request] of waiting) queueMicrotask(() => handler(session, request));
  }

  close(code = 0, reason = ""): Promise<void> {
    this.#closing ??= new Promise<void>((resolve) => {
      for (const session of [...this.#sessions]) session.close(code, reason);
      const cut = setTimeout(() => {
        for (const socket of [...this.#sockets]) socket.destroy();
      }, GOODBYE_MS);
      this.http.close(() => {
        clearTimeout(cut);
        resolve();
      });
      this.http.closeIdleConnections();
    });
    return this.#closing;
  }

  #admit(socket: Socket): void {
    const address = socket.remoteAddress ?? "";
    // A TCP connection proves the address.
    const verdict = this.#admission.decide(address, true, performance.now());
    if (verdict !== "accept") {
      if (verdict !== "retry") this.#refusals.add(verdict);
      socket.destroy();
      return;
    }
    const place = this.#admission.take(address, true);
    const name = remoteOf(socket);
    this.#sockets.add(socket);
    this.#places.set(name, place);
    socket.on("close", () => {
      place.free();
      this.#sockets.delete(socket);
      if (this.#places.get(name) === place) this.#places.delete(name);
    });
  }

  async #upgrade(incoming: IncomingMessage, socket: Duplex, head: Buffer): Promise<void> {
    socket.on("error", () => socket.destroy());
    const request = toSessionRequest(incoming);
    // The HTTP server's own time limits end with the upgrade.
    const limit = setTimeout(() => socket.destroy(), this.options.handshakeTimeoutMs);
    const status = await this.#decide(incoming, request);
    clearTimeout(limit);
    if (socket.destroyed) return;
    if (status !== 200) {
      refuse(socket, status);
      return;
    }
    this.#webSockets.handleUpgrade(incoming, socket, head, (webSocket) =>
      this.#accept(webSocket, request, this.#places.get(remoteOf(incoming.socket))),
    );
  }

  async #decide(incoming: IncomingMessage, request: SessionRequest): Promise<number> {
    if (this.#closing !== undefined) return STATUS_UNAVAILABLE;
    const offered = String(incoming.headers["sec-websocket-protocol"] ?? "").split(",");
    if (!offered.some((name) => name.trim() === MUX_PROTOCOL)) return 400;
    const place = this.#places.get(remoteOf(incoming.socket));
    const refusal = place?.refusal(performance.now());
    if (refusal !== undefined) {
      this.#refusals.add(refusal.reason);
      return refusal.status;
    }
    const status = await this.options.decide(request);
    place?.handleEstablished();
    return this.#closing === undefined ? status : STATUS_UNAVAILABLE;
  }

  #accept(webSocket: WebSocket, request: SessionRequest, place: Place | undefined): void {
    const channel = new WsChannel(webSocket, this.options.idleTimeoutMs);
    const session = new MuxSession(channel, "server");
    place?.occupy({
      silentMs: (nowMs) => channel.silentMs(nowMs),
      giveWay: () => session.close(GIVEN_WAY.code, GIVEN_WAY.reason),
    });
    this.#sessions.add(session);
    void session.closed.then(() => this.#sessions.delete(session));
    if (this.#onSession !== undefined) this.#onSession(session, request);
    else if (this.#waiting.length < MAX_WAITING_SESSIONS) this.#waiting.push([session, request]);
    else session.close(0, "nobody takes sessions");
  }
}

function remoteOf({ remoteAddress = "", remotePort = 0 }: Socket): string {
  return `${isIPv6(remoteAddress) ? `[${remoteAddress}]` : remoteAddress}:${remotePort}`;
}

function toSessionRequest({ url, headers, socket }: IncomingMessage): SessionRequest {
  const entries = Object.entries(headers).flatMap(([name, value]): [string, string][] => {
    if (value === undefined) return [];
    return [[name, Array.isArray(value) ? value.join(", ") : value]];
  });
  return {
    path: url ?? "/",
    authority: headers.host ?? "",
    headers: new Map(entries),
    remoteAddress: remoteOf(socket),
  };
}

function refuse(socket: Duplex, status: number): void {
  const text = STATUS_CODES[status] ?? "Refused";
  socket.end(`HTTP/1.1 ${status} ${text}\r\nconnection: close\r\ncontent-length: 0\r\n\r\n`);
}
