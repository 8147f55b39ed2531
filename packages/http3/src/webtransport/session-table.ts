import type { CloseInfo } from "@sluice/transport";
import { H3_CODE } from "../h3/error.js";
import { EndedSessions } from "./ended-sessions.js";
import type { QuicStreams } from "./quic-streams.js";
import type { ConnectRequest } from "./request.js";
import { type SessionEvents, WebTransportSession } from "./session.js";

/** What becomes of a stream or a datagram that names a session. */
export type SessionStanding = "open" | "gone" | "not-yet";

/** Receives what happens to the sessions of a connection. */
export interface SessionTableEvents extends SessionEvents {
  /** The session is over, everything of it was sent, and it is forgotten. */
  onSessionEnded(session: WebTransportSession): void;
  /** There is no session any more, and both sides know it. */
  onLastSessionEnded(): void;
}

/** How long the peer may take to end its side of a session after a close. */
const CLOSE_GRACE_MS = 500;
/** How long a server keeps the connection after both sides have ended its last session. */
const BROWSER_SETTLE_MS = 200;
/** Sessions at the same time; our SETTINGS say so. */
export const MAX_SESSIONS = 16;

/** The sessions of a connection from their request to their end, and when the connection ends with them. */
export class SessionTable {
  readonly byId = new Map<number, WebTransportSession>();
  readonly #ended = new EndedSessions();
  readonly #events: SessionEvents;
  /** Requests that came before the client's SETTINGS. */
  readonly #waiting = new Map<WebTransportSession, ConnectRequest>();
  /** When the peer must have ended its side of a session that we closed. */
  readonly #graceEndsMs = new Map<WebTransportSession, number>();
  /** Whether the peer takes datagrams; `undefined` until its SETTINGS are there. */
  #hasDatagrams: boolean | undefined;
  #hasOpened = false;
  #closeAtMs: number | undefined;
  #refusesNew = false;
  /** The first id of a request that has not come yet. */
  #nextRequestId = 0;

  constructor(
    readonly role: "client" | "server",
    readonly quic: QuicStreams,
    readonly events: SessionTableEvents,
  ) {
    this.#events = {
      ...events,
      onRequest: (session, request) => {
        // WebTransport over HTTP/3, 3.1 and 7.1: no request is looked at before the client's SETTINGS are there.
        if (this.#hasDatagrams === undefined) this.#waiting.set(session, request);
        else this.#handleRequest(session, request);
      },
    };
  }

  /** Whether a session has ever been open on this connection. */
  get hasOpened(): boolean {
    return this.#hasOpened;
  }

  /** When {@link handleTimeout} wants to be called; `undefined` for never. */
  get nextTimeoutMs(): number | undefined {
    const first = Math.min(this.#closeAtMs ?? Number.POSITIVE_INFINITY, ...this.#graceEndsMs.values());
    return first === Number.POSITIVE_INFINITY ? undefined : first;
  }

  handleTimeout(nowMs: number): void {
    for (const [session, endsMs] of this.#graceEndsMs) {
      if (nowMs >= endsMs) session.giveUp();
    }
    if (this.#closeAtMs === undefined || nowMs < this.#closeAtMs) return;
    this.#closeAtMs = undefined;
    this.events.onLastSessionEnded();
  }

  standingOf(id: number): SessionStanding {
    const state = this.byId.get(id)?.state;
    if (state === "open") return "open";
    if (state === "closing" || state === "over" || this.#ended.has(id)) return "gone";
    // A client knows every session that it asked for.
    return state === undefined && this.role === "client" ? "gone" : "not-yet";
  }

  add(id: number): WebTransportSession {
    const session = new WebTransportSession(id, this.role, this.#events);
    this.byId.set(id, session);
    return session;
  }

  /** Server: the first bytes of a request. */
  handleRequestStream(id: number, bytes: Uint8Array, fin: boolean, scratch: Uint8Array): void {
    this.#nextRequestId = Math.max(this.#nextRequestId, id + 4);
    // RFC 9114 4.1.1, 5.2: nothing of it was looked at.
    if (this.#refusesNew || this.byId.size >= MAX_SESSIONS) {
      this.#ended.add(id);
      if (!fin) this.quic.stopReceive(id, H3_CODE.REQUEST_REJECTED);
      this.quic.resetSend(id, H3_CODE.REQUEST_REJECTED);
      return;
    }
    const session = this.add(id);
    session.handleBytes(bytes, fin);
    session.read(this.quic, scratch);
  }

  /** Server: the id from which on requests are refused, or `undefined` where they are already. */
  refuseNew(): number | undefined {
    if (this.#refusesNew) return undefined;
    this.#refusesNew = true;
    return this.#nextRequestId;
  }

  /** Client: the server does not answer requests from `id` on (RFC 9114 5.2). */
  handleGoaway(id: number): void {
    for (const session of this.byId.values()) {
      if (session.id < id || session.state !== "asked") continue;
      session.abort({ code: 0, reason: "the server takes no new sessions", by: "remote" });
    }
  }

  /** The peer's SETTINGS are there, with datagrams or without. */
  handleSettings(hasDatagrams: boolean): void {
    this.#hasDatagrams = hasDatagrams;
    const waiting = [...this.#waiting];
    this.#waiting.clear();
    for (const [session, request] of waiting) {
      if (session.state === "asked") this.#handleRequest(session, request);
    }
  }

  checkStopped(): void {
    for (const session of this.byId.values()) session.checkStopped(this.quic);
  }

  /** Reads what came on the CONNECT stream `id`; `false` where it is none. */
  read(id: number, scratch: Uint8Array): boolean {
    const session = this.byId.get(id);
    if (session !== undefined) {
      session.read(this.quic, scratch);
      return true;
    }
    if (!this.#ended.has(id)) return false;
    this.#drain(id, scratch);
    return true;
  }

  /** Hands to the engine what it takes now; `false` where there was nothing to send. */
  flush(): boolean {
    let wantedToSend = false;
    for (const session of this.byId.values()) {
      wantedToSend ||= session.wantsToSend;
      session.flush(this.quic);
    }
    return wantedToSend;
  }

  /** The QUIC connection is over: every session ends with `info`. */
  abort(info: CloseInfo): void {
    this.#closeAtMs = undefined;
    for (const session of this.byId.values()) session.abort(info);
    this.byId.clear();
    this.#waiting.clear();
    this.#graceEndsMs.clear();
  }

  /** Forgets sessions that are over, and sees to the end of the connection after the last one. */
  settle(nowMs: number): void {
    if (this.byId.size === 0) return;
    let closing = 0;
    for (const session of this.byId.values()) {
      if (session.state === "open") this.#hasOpened = true;
      if (session.state === "closing") {
        closing += 1;
        if (!this.#graceEndsMs.has(session)) this.#graceEndsMs.set(session, nowMs + CLOSE_GRACE_MS);
      } else if (session.state === "over" && !session.wantsToSend) this.#forget(session);
    }
    if (this.byId.size === 0) {
      // Whoever closed first sees the other's end here and closes soon; the other one waits for that. Chromium
      // tells a page "connection lost" where the connection ends before its own tasks have passed the capsule on.
      if (this.#closeAtMs !== undefined) {
        const settledAtMs = nowMs + (this.role === "server" ? BROWSER_SETTLE_MS : 0);
        this.#closeAtMs = Math.min(this.#closeAtMs, settledAtMs);
      } else this.#closeAtMs = nowMs + CLOSE_GRACE_MS;
    } else if (closing === this.byId.size) {
      this.#closeAtMs ??= nowMs + CLOSE_GRACE_MS;
    } else this.#closeAtMs = undefined; // A session came while the connection was about to end.
  }

  #handleRequest(session: WebTransportSession, request: ConnectRequest): void {
    // WebTransport over HTTP/3, 3.1: a session without what it needs is malformed.
    if (this.#hasDatagrams === true) this.events.onRequest(session, request);
    else session.refuseAsMalformed();
  }

  #forget(session: WebTransportSession): void {
    // RFC 9114 4.1: the rest of a request that was answered is not wanted.
    if (session.mayReceive && !session.hasCloseCapsule) this.quic.stopReceive(session.id, H3_CODE.NO_ERROR);
    this.byId.delete(session.id);
    this.#waiting.delete(session);
    this.#graceEndsMs.delete(session);
    this.#ended.add(session.id);
    this.events.onSessionEnded(session);
  }

  /** Reads the end of a CONNECT stream that is over. */
  #drain(id: number, scratch: Uint8Array): void {
    for (;;) {
      const length = this.quic.receive(id, scratch);
      if (length < 0 || this.quic.fin) return;
      if (length === 0) continue;
      // WebTransport over HTTP/3, 6: nothing follows the capsule that closes.
      this.quic.stopReceive(id, H3_CODE.MESSAGE_ERROR);
      this.quic.resetSend(id, H3_CODE.MESSAGE_ERROR);
      return;
    }
  }
}
