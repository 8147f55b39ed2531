import { connectWithHashes, parseCertificateHashes } from "@sluice/http3";
import { ConnectError, type Session } from "@sluice/transport";
import type { ClientArguments, ClientOwner } from "./contract.js";
import { debug } from "./debug.js";
import { Http3Session } from "./http3-session.js";

/** As long as the library waits. */
const DEFAULT_TIMEOUT_MS = 8000;
/** What the library is told of a session that was refused; it shows neither. */
const REFUSED = 0;

/** Opens one session on one connection. */
export class Http3WebTransportClient {
  jsobj: ClientOwner | undefined;
  readonly #arguments: ClientArguments;
  readonly #giveUp = new AbortController();
  #session: Session | undefined;

  /** Throws on what it cannot do. */
  constructor(args: ClientArguments) {
    if (args.localPort !== undefined) throw new Error("localPort: the port of a client cannot be chosen");
    this.#arguments = args;
  }

  /** Called before the library waits for the connection, which it does by the end of this turn. */
  createTransport({ path }: { readonly path: string }): void {
    queueMicrotask(() => void this.#open(path));
  }

  /** The library is ready for the session, which is open by then, or was refused. */
  openWTSession(): void {
    if (this.#session === undefined) {
      this.jsobj?.onClientError({ errorcode: REFUSED, error: "the server refused the session" });
      return;
    }
    const session = new Http3Session(this.#session);
    this.jsobj?.onHttpWTSessionVisitor({ session, reliable: false });
    session.start();
  }

  closeClient(): void {
    this.#giveUp.abort(new ConnectError("refused", "given up"));
    this.#session?.close();
  }

  async #open(path: string): Promise<void> {
    const { host, port, quicConnectTimeout } = this.#arguments;
    const { signal } = this.#giveUp;
    try {
      const hashes = parseCertificateHashes(this.#arguments.serverCertificateHashes ?? []);
      this.#session = await connectWithHashes(`https://${host}:${port}${path}`, hashes, {
        engine: "quiche",
        timeoutMs: quicConnectTimeout ?? DEFAULT_TIMEOUT_MS,
        signal,
      });
    } catch (error) {
      debug("no session at %s:%s%s: %s", host, port, path, error);
      if (signal.aborted) return;
      // The connection was there, so that another transport would not help.
      const isRejected = error instanceof ConnectError && error.kind === "rejected";
      if (!isRejected) {
        this.jsobj?.onClientConnected({ success: false });
        return;
      }
    }
    this.jsobj?.onClientConnected({ success: true });
    this.jsobj?.onClientWebTransportSupport({});
  }
}

/** Holds nothing of its own: the sockets belong to the engine. */
export class Http3WebTransportClientSocket {
  /** Set by the library. */
  cobj: { closeClientInt(): void } | undefined;

  init(): void {}

  closeClient(): void {
    this.cobj?.closeClientInt();
  }
}
