import quiche from "@matrixai/quic/native/quiche.js";
import type { Config } from "@matrixai/quic/native/types.js";
import { Admission, GIVEN_WAY } from "../admission/admission.js";
import { H3_CODE } from "../h3/error.js";
import { BASE_PACKET_BYTES } from "../path-mtu/packet-size-search.js";
import { createServerConfig, type ServerTls } from "./config.js";
import { QuicheConnection } from "./connection.js";
import { FigureReport } from "./figure-report.js";
import { type Entry, InitialGate } from "./initial-gate.js";
import type { ListenMessage, LogLevel } from "./messages.js";
import type { Outbox } from "./outbox.js";
import { connectionKey, decodePacketHeader, type PacketHeader } from "./packet-header.js";
import type { SessionRegistry } from "./session-registry.js";
import type { TurnLoop } from "./turn-loop.js";
import { type Address, UdpSocket } from "./udp-socket.js";

/** Connections beyond each limit that may shake hands, to be refused with a status instead of silence. */
const SPARE_CONNECTIONS = { total: 16, perSource: 4 };
/** A refused session's status (RFC 9110 15.6.4). */
const STATUS_UNAVAILABLE = 503;

/** What endpoints share within a worker. */
export interface EndpointContext {
  readonly loop: TurnLoop;
  readonly outbox: Outbox;
  readonly sessions: SessionRegistry;
  readonly scratch: Uint8Array;
}

/** A listening UDP socket and its connections. */
export class ServerEndpoint {
  readonly #connections = new Map<string, QuicheConnection>();
  readonly #open = new Map<QuicheConnection, string[]>();
  readonly #admission: Admission;
  readonly #gate: InitialGate;
  #configs: { readonly common: Config; readonly near: Config };
  #socket: UdpSocket | undefined;
  #isClosing = false;
  readonly #figures = new FigureReport();

  private constructor(
    readonly options: ListenMessage,
    readonly context: EndpointContext,
  ) {
    this.#configs = this.#createConfigs(options);
    this.#admission = new Admission(options.admission, SPARE_CONNECTIONS);
    this.#gate = new InitialGate(this.#admission, this.#figures);
  }

  static async listen(options: ListenMessage, context: EndpointContext): Promise<ServerEndpoint> {
    const endpoint = new ServerEndpoint(options, context);
    const local = { host: options.host, port: options.port };
    endpoint.#socket = await UdpSocket.open(local, undefined, {
      onPacket: (packet, from) => endpoint.#handlePacket(packet, { host: from.address, port: from.port }),
      onError: (error) => endpoint.#log("warn", "UDP socket", { error: error.message }),
    });
    return endpoint;
  }

  get port(): number {
    return this.#socket?.local.port ?? 0;
  }

  get connectionCount(): number {
    return this.#open.size;
  }

  /** Ids that lead packets to a connection; each has one or two. */
  get connectionIdCount(): number {
    return this.#connections.size;
  }

  /** Connections from here on get this certificate; open ones keep theirs. */
  setCertificate(cert: string, key: string): void {
    try {
      this.#configs = this.#createConfigs({ cert, key });
    } catch (error) {
      this.#log("error", "the engine does not take the new certificate; the old one stays", {
        error: String(error),
      });
    }
  }

  /** Tells the main thread what has changed since the last time. */
  reportFigures(): void {
    const figures = this.#figures.take(this.#admission.connections, this.#admission.handshakes);
    if (figures === undefined) return;
    this.context.outbox.push({ type: "server-figures", server: this.options.server, ...figures });
  }

  /** Closes every session and takes no new ones; reports `server-closed` once everything is sent. */
  close(code: number, reason: string): void {
    this.#isClosing = true;
    for (const connection of this.#open.keys()) {
      connection.webTransport.goAway();
      const { sessions } = connection.webTransport;
      for (const session of sessions.values()) session.close(code, reason);
      if (sessions.size === 0) connection.close(H3_CODE.NO_ERROR, "");
      this.context.loop.schedule(connection);
    }
    this.#endIfIdle();
  }

  /** Ends at once: its connections are lost, and nobody is told. */
  stop(): void {
    this.#isClosing = true;
    this.#socket?.close();
    this.#socket = undefined;
  }

  #handlePacket(packet: Buffer, from: Address): void {
    const header = decodePacketHeader(packet);
    const connection =
      header === undefined
        ? undefined
        : (this.#connections.get(connectionKey(header.destinationId)) ?? this.#admit(header, packet, from));
    if (connection === undefined) return;
    const fate = connection.receive(packet, from, performance.now());
    if (fate === "taken") this.context.loop.schedule(connection);
    else if (fate === "full") this.#figures.addDroppedPacket();
    else this.#figures.addIgnoredPacket();
  }

  #admit(header: PacketHeader, packet: Buffer, from: Address): QuicheConnection | undefined {
    const socket = this.#socket;
    if (socket === undefined || this.#isClosing) return undefined;
    const entry = this.#gate.decide(header, packet, from, (write) => this.#reply(socket, from, write));
    return entry === undefined ? undefined : this.#accept(entry, socket, from);
  }

  /** Answers a packet without a connection. */
  #reply(socket: UdpSocket, to: Address, write: (out: Buffer) => number): void {
    if (socket.isCongested) return;
    const buffer = socket.nextBuffer(BASE_PACKET_BYTES);
    try {
      socket.send(buffer, write(buffer), to);
    } catch {
      // Ids that no answer can be made for.
    }
  }

  #accept(entry: Entry, socket: UdpSocket, from: Address): QuicheConnection | undefined {
    const { id, originalId, firstId, place } = entry;
    const config = entry.isNear ? this.#configs.near : this.#configs.common;
    let engine: ReturnType<typeof quiche.Connection.accept>;
    try {
      engine = quiche.Connection.accept(id, originalId, socket.local, from, config);
    } catch (error) {
      place.free();
      this.#log("warn", "connection not accepted", { error: String(error) });
      return undefined;
    }
    const { loop, sessions, outbox } = this.context;
    const connection: QuicheConnection = new QuicheConnection(
      "server",
      engine,
      socket,
      {
        ...sessions.streamEvents(),
        onEstablished: () => {
          place.handleEstablished();
          return undefined;
        },
        onReady() {},
        onResponse() {},
        onCloseConnection() {},
        // Its connection may go on with others for days.
        onSessionEnded: (session) => sessions.removeSession(session),
        onRequest: (session, request) => {
          if (this.#isClosing) {
            session.reject(STATUS_UNAVAILABLE);
            return;
          }
          const refusal = place.refusal(performance.now());
          if (refusal !== undefined) {
            this.#figures.addRefusal(refusal.reason);
            session.reject(refusal.status);
            return;
          }
          const { handle } = sessions.addIncoming(session, connection, () =>
            this.#figures.addDroppedDatagram(),
          );
          const { path, authority } = request;
          const headers = [...request.headers];
          const remoteAddress = from.host.includes(":")
            ? `[${from.host}]:${from.port}`
            : `${from.host}:${from.port}`;
          const { server } = this.options;
          outbox.push({ type: "request", server, session: handle, path, authority, headers, remoteAddress });
        },
        onWake: (atMs) => loop.wake(connection, atMs),
        onGone: (info) => {
          place.free();
          if (connection.hasRunOutOfTime) this.#figures.addRefusal("handshake-timeout");
          if (info.by === "transport" && info.reason !== "") {
            this.#log("info", "connection ended", { peer: `${from.host}:${from.port}`, reason: info.reason });
          }
          this.#forget(connection);
        },
      },
      {
        peer: from,
        scratch: this.context.scratch,
        nowMs: performance.now(),
        idleTimeoutMs: this.options.quic.idleTimeoutMs,
        openTimeoutMs: this.options.handshakeTimeoutMs,
        maxPacketBytes: this.options.quic.maxPacketBytes,
      },
    );
    place.occupy({
      silentMs: (nowMs) => connection.silentMs(nowMs),
      giveWay: () => {
        const { sessions } = connection.webTransport;
        for (const session of sessions.values()) session.close(GIVEN_WAY.code, GIVEN_WAY.reason);
        if (sessions.size === 0) connection.close(H3_CODE.NO_ERROR, GIVEN_WAY.reason);
        loop.schedule(connection);
      },
    });
    // A ClientHello may span packets, and the later ones still carry the id that the client chose first.
    const keys = [connectionKey(id)];
    if (firstId !== undefined) keys.push(connectionKey(firstId));
    for (const key of keys) this.#connections.set(key, connection);
    this.#open.set(connection, keys);
    return connection;
  }

  #forget(connection: QuicheConnection): void {
    for (const key of this.#open.get(connection) ?? []) this.#connections.delete(key);
    this.#open.delete(connection);
    this.context.loop.forget(connection);
    this.context.sessions.removeAllOf(connection);
    this.#endIfIdle();
  }

  #endIfIdle(): void {
    if (!this.#isClosing || this.#open.size > 0 || this.#socket === undefined) return;
    this.#socket.close();
    this.#socket = undefined;
    this.reportFigures();
    this.context.outbox.push({ type: "server-closed", server: this.options.server });
    this.context.loop.schedule();
  }

  #createConfigs(tls: ServerTls) {
    const { quic } = this.options;
    return { common: createServerConfig(tls, quic), near: createServerConfig(tls, quic, true) };
  }

  #log(level: LogLevel, message: string, fields: Record<string, unknown>): void {
    this.context.outbox.push({ type: "log", server: this.options.server, level, message, fields });
    this.context.loop.schedule();
  }
}
