import type { ConnectionEvents } from "../webtransport/connection.js";
import type { WebTransportSession } from "../webtransport/session.js";
import type { QuicheConnection } from "./connection.js";
import type { Outbox } from "./outbox.js";
import { SessionPort } from "./session-port.js";

/** The sessions of one worker, by the names that the main thread uses and by the layer's own objects. */
export class SessionRegistry {
  readonly #byHandle = new Map<number, SessionPort>();
  readonly #bySession = new Map<WebTransportSession, SessionPort>();
  #nextIncoming = -1;

  constructor(readonly outbox: Outbox) {}

  add(
    handle: number,
    session: WebTransportSession,
    connection: QuicheConnection,
    onDropped?: () => void,
  ): SessionPort {
    const port = new SessionPort(handle, session, connection, this.outbox, onDropped);
    this.#byHandle.set(handle, port);
    this.#bySession.set(session, port);
    return port;
  }

  /** Adds a session that a client asks for, under a name of our choice. */
  addIncoming(
    session: WebTransportSession,
    connection: QuicheConnection,
    onDropped: () => void,
  ): SessionPort {
    return this.add(this.#nextIncoming--, session, connection, onDropped);
  }

  get size(): number {
    return this.#byHandle.size;
  }

  get(handle: number): SessionPort | undefined {
    return this.#byHandle.get(handle);
  }

  portOf(session: WebTransportSession): SessionPort | undefined {
    return this.#bySession.get(session);
  }

  /** Forgets the sessions of a connection that is gone. */
  removeAllOf(connection: QuicheConnection): void {
    for (const port of this.#byHandle.values()) {
      if (port.connection === connection) this.remove(port);
    }
  }

  removeSession(session: WebTransportSession): void {
    const port = this.#bySession.get(session);
    if (port !== undefined) this.remove(port);
  }

  remove(port: SessionPort): void {
    this.#byHandle.delete(port.handle);
    this.#bySession.delete(port.session);
    this.outbox.push({ type: "gone", session: port.handle });
  }

  ports(): Iterable<SessionPort> {
    return this.#byHandle.values();
  }

  /** The part of a connection's events that is the same for clients and servers: it goes to the main thread. */
  streamEvents(): Omit<
    ConnectionEvents,
    "onReady" | "onRequest" | "onResponse" | "onSessionEnded" | "onCloseConnection"
  > {
    const { outbox } = this;
    return {
      onStreamData: (stream, bytes, fin) => {
        const port = this.portOf(stream.session);
        if (port === undefined) return;
        outbox.pushData(port.handle, stream.handle, bytes, fin);
        if (fin) port.forgetIfDone(stream);
      },
      onStreamReset: (stream, code) => {
        const port = this.portOf(stream.session);
        if (port === undefined) return;
        outbox.push({ type: "reset", session: port.handle, stream: stream.handle, code });
        port.forgetIfDone(stream);
      },
      onStreamStopped: (stream, code) => {
        const port = this.portOf(stream.session);
        if (port === undefined) return;
        outbox.push({ type: "stopped", session: port.handle, stream: stream.handle, code });
        port.forgetIfDone(stream);
      },
      onStreamCredit: (stream, bytes) => {
        const port = this.portOf(stream.session);
        if (port !== undefined)
          outbox.push({ type: "credit", session: port.handle, stream: stream.handle, bytes });
      },
      onStreamOpened: (stream) => {
        const port = this.portOf(stream.session);
        if (port !== undefined) outbox.push({ type: "opened", session: port.handle, stream: stream.handle });
      },
      onStreamFinished: (stream) => {
        const port = this.portOf(stream.session);
        if (port === undefined) return;
        outbox.push({ type: "finished", session: port.handle, stream: stream.handle });
        port.forgetIfDone(stream);
      },
      onStream: (stream, isBidirectional) => {
        const port = this.portOf(stream.session);
        if (port === undefined) return;
        port.addStream(stream);
        outbox.push({ type: "stream", session: port.handle, stream: stream.handle, isBidirectional });
      },
      onDatagram: (session, payload) => this.portOf(session)?.handleDatagram(payload),
      onSessionClosed: (session, info) => this.portOf(session)?.end(info),
    };
  }
}
