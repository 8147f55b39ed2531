import type { Authorization } from "@sluice/http3";
import type { Session, SessionRequest } from "@sluice/transport";
import type { RequestHeader, ServerOwner } from "./contract.js";
import { Http3Session } from "./http3-session.js";

/** What the library answered, to be given with the session. */
interface Accepted {
  readonly path: string;
  readonly header?: RequestHeader | undefined;
  readonly userData?: object | undefined;
}

/** A request that waits for the library's answer. */
interface Pending {
  readonly request: SessionRequest;
  readonly answer: (authorization: Authorization) => void;
}

/** The library's answer to a request, what it was asked with among it. */
interface Answer {
  readonly status: number;
  readonly path?: string;
  readonly header?: RequestHeader;
  readonly userData?: object;
  readonly promise: object;
}

const NOT_FOUND = 404;
const OK = 200;

/** Asks the library about requests, and gives it the sessions that open. */
export class Http3WebTransportServer {
  jsobj: ServerOwner | undefined;
  readonly #paths = new Set<string>();
  #asksLibrary = false;
  readonly #pending = new WeakMap<object, Pending>();
  readonly #accepted = new WeakMap<SessionRequest, Accepted>();

  /** Serves a path, as long as the library does not decide itself. */
  addPath(path: string): void {
    this.#paths.add(path);
  }

  setJSRequestHandler(asksLibrary: boolean): void {
    this.#asksLibrary = asksLibrary;
  }

  authorize(request: SessionRequest): Authorization | Promise<Authorization> {
    if (!this.#asksLibrary) {
      const { path } = request;
      if (!this.#paths.has(path)) return NOT_FOUND;
      this.#accepted.set(request, { path });
      return true;
    }
    return new Promise((answer) => {
      const ticket = {};
      this.#pending.set(ticket, { request, answer });
      this.jsobj?.onSessionRequest({
        header: toHeader(request),
        promise: ticket,
        session: ticket,
        peerAddress: request.remoteAddress,
        protocol: "http3:libquiche",
      });
    });
  }

  /** Throws where the answer is to no open request, or lacks something. */
  finishSessionRequest({ status, path, header, userData, promise }: Answer): void {
    const pending = this.#pending.get(promise);
    if (pending === undefined) throw new Error("promise: no open request");
    this.#pending.delete(promise);
    if (status === OK) {
      if (path === undefined) {
        pending.answer(500);
        throw new Error("path: the answer to a request must name the stream of sessions that gets it");
      }
      this.#accepted.set(pending.request, { path, header, userData });
    }
    pending.answer(status === OK ? true : status);
  }

  takeSession(session: Session, request: SessionRequest): void {
    const { path, header, userData } = this.#accepted.get(request) ?? { path: request.path };
    const ours = new Http3Session(session);
    const peerAddress = request.remoteAddress;
    this.jsobj?.onHttpWTSessionVisitor({ session: ours, path, header, peerAddress, userData });
    ours.start();
  }
}

/** The request's fields as the library knows them. */
function toHeader({ path, authority, headers }: SessionRequest): RequestHeader {
  const header: Record<string, string> = {
    ":method": "CONNECT",
    ":protocol": "webtransport",
    ":scheme": "https",
    ":authority": authority,
    ":path": path,
  };
  // An offer of subprotocols cannot be answered, so the application does not get to see it.
  for (const [name, value] of headers) if (name !== "wt-available-protocols") header[name] = value;
  return header;
}
