import { randomBytes } from "node:crypto";
import quiche from "@matrixai/quic/native/quiche.js";
import type { Config } from "@matrixai/quic/native/types.js";
import { Admission, type Place } from "../admission/admission.js";
import type { RefusalReason } from "../admission/refusals.js";
import { H3_CODE } from "../h3/error.js";
import { createServerConfig } from "./config.js";
import { QuicheConnection } from "./connection.js";
import { FigureReport } from "./figure-report.js";
import type { ListenMessage, LogLevel } from "./messages.js";
import type { Outbox } from "./outbox.js";
import {
  CONNECTION_ID_BYTES,
  connectionKey,
  decodePacketHeader,
  type PacketHeader,
} from "./packet-header.js";
import { RetryTokens } from "./retry-tokens.js";
import type { SessionRegistry } from "./session-registry.js";
import type { TurnLoop } from "./turn-loop.js";
import { type Address, UdpSocket } from "./udp-socket.js";

/** RFC 9000 14.1: smaller packets must not start a connection. */
const MIN_INITIAL_BYTES = 1200;
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
  readonly #tokens = new RetryTokens(randomBytes, tokenTimeMs());
  readonly #admission: Admission;
  #config: Config;
  #socket: UdpSocket | undefined;
  #isClosing = false;
  #droppedPackets = 0;
  readonly #figures = new FigureReport();

  private constructor(
    readonly options: ListenMessage,
    readonly context: EndpointContext,
  ) {
    this.#config = createServerConfig({ cert: options.cert, key: options.key }, options.quic);
    this.#admission = new Admission(options.admission, SPARE_CONNECTIONS);
  }

  static async listen(options: ListenMessage, context: EndpointContext): Promise<ServerEndpoint> {
    const endpoint = new ServerEndpoint(options, context);
    const local = { host: options.host, port: options.port };
    endpoint.#socket = await UdpSocket.open(local, undefined, options.quic.maxPacketBytes, {
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

  get droppedPackets(): number {
    return this.#droppedPackets;
  }

  /** Connections from here on get this certificate; open ones keep theirs. */
  setCertificate(cert: string, key: string): void {
    try {
      this.#config = createServerConfig({ cert, key }, this.options.quic);
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

  #handlePacket(packet: Buffer, from: Address): void {
    const header = decodePacketHeader(packet);
    if (header === undefined) {
      this.#droppedPackets += 1;
      return;
    }
    const connection =
      this.#connections.get(connectionKey(header.destinationId)) ?? this.#admit(header, packet, from);
    if (connection === undefined) return;
    connection.receive(packet, from, performance.now());
    this.context.loop.schedule(connection);
  }

  /** Decides about a packet that belongs to no connection. */
  #admit(header: PacketHeader, packet: Buffer, from: Address): QuicheConnection | undefined {
    if (!header.isLong || header.version === 0 || packet.byteLength < MIN_INITIAL_BYTES || this.#isClosing) {
      return this.#drop();
    }
    if (header.version !== quiche.PROTOCOL_VERSION) {
      // RFC 9000 6.1
      this.#reply(from, (out) => quiche.negotiateVersion(header.sourceId, header.destinationId, out));
      return undefined;
    }
    // RFC 9000 7.2: a client's first destination id has at least 8 bytes.
    if (!header.isInitial || header.destinationId.byteLength < 8) return this.#drop();
    const { host } = from;
    const token = tokenOf(packet);
    if (token === undefined) return this.#drop();
    const address = `${host}:${from.port}`;
    const nowMs = tokenTimeMs();
    const retryId = header.destinationId;
    const originalId = token.byteLength === 0 ? undefined : this.#tokens.open(address, token, retryId, nowMs);
    // RFC 9000 8.1.3: an invalid token is as good as none; it may come from another server that used this address. A
    // client whose token was ours and has expired does not answer a second Retry (17.2.5.2), and gives up.
    if (token.byteLength > 0 && originalId === undefined) this.#figures.addRefusal("bad-token");
    const isProven = originalId !== undefined;
    const verdict = this.#admission.decide(host, isProven, performance.now());
    if (verdict === "retry") {
      this.#sendRetry(header, from, nowMs);
      return undefined;
    }
    if (verdict !== "accept") return this.#refuse(verdict);
    const place = this.#admission.take(host, isProven);
    if (!isProven) return this.#accept(randomBytes(CONNECTION_ID_BYTES), undefined, retryId, from, place);
    this.#tokens.spend(retryId, nowMs);
    return this.#accept(retryId, originalId, undefined, from, place);
  }

  #sendRetry(header: PacketHeader, from: Address, nowMs: number): void {
    this.#figures.addRetry();
    const retryId = randomBytes(CONNECTION_ID_BYTES);
    const address = `${from.host}:${from.port}`;
    const token = this.#tokens.issue(address, header.destinationId, retryId, nowMs);
    this.#reply(from, (out) =>
      quiche.retry(header.sourceId, header.destinationId, retryId, token, header.version, out),
    );
  }

  #refuse(reason: RefusalReason): undefined {
    this.#figures.addRefusal(reason);
    return this.#drop();
  }

  #drop(): undefined {
    this.#droppedPackets += 1;
    return undefined;
  }

  #reply(to: Address, write: (out: Buffer) => number): void {
    if (this.#socket === undefined || this.#socket.isCongested) return;
    const buffer = this.#socket.nextBuffer();
    try {
      this.#socket.send(buffer, write(buffer), to);
    } catch {
      this.#droppedPackets += 1; // Ids that no answer can be made for.
    }
  }

  #accept(
    id: Uint8Array,
    originalId: Uint8Array | undefined,
    firstId: Uint8Array | undefined,
    from: Address,
    place: Place,
  ): QuicheConnection | undefined {
    const socket = this.#socket;
    if (socket === undefined) {
      place.free();
      return undefined;
    }
    let engine: ReturnType<typeof quiche.Connection.accept>;
    try {
      engine = quiche.Connection.accept(id, originalId, socket.local, from, this.#config);
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
          const refusal = place.refusal();
          if (refusal !== undefined) {
            this.#figures.addRefusal(refusal.reason);
            session.reject(refusal.status);
            return;
          }
          const { handle } = sessions.addIncoming(session, connection);
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

  #log(level: LogLevel, message: string, fields: Record<string, unknown>): void {
    this.context.outbox.push({ type: "log", server: this.options.server, level, message, fields });
    this.context.loop.schedule();
  }
}

/** The time in tokens: whole, and never set back as a wall clock is. */
function tokenTimeMs(): number {
  return Math.floor(performance.now());
}

/** The token of an Initial packet, empty where it has none; `undefined` where the packet is malformed. */
function tokenOf(packet: Buffer): Uint8Array | undefined {
  try {
    return quiche.Header.fromSlice(packet, CONNECTION_ID_BYTES).token ?? new Uint8Array(0);
  } catch {
    return undefined;
  }
}
