import {
  type ClientError,
  type ConnectionState,
  createClient,
  createReconnectingClient,
  type ObservedSession,
  type OpenStreamOptions,
  type SessionEnd,
  type TensorStream,
} from "@sluice/client";
import { connect, type EngineName } from "@sluice/http3";
import type { PathEstimate, SessionLimits } from "@sluice/protocol";
import type { Session } from "@sluice/transport";
import type { SessionFigures } from "./stream-statistics.js";

export interface StreamClientOptions {
  readonly url: string;
  /** SHA-256 of the server's certificate in hexadecimal; without it the system's roots decide. */
  readonly certificateHash: string | undefined;
  /** Takes any certificate; whoever sets it has warned. */
  readonly insecure?: boolean;
  readonly engine: EngineName;
  /** Goes on over TCP where UDP does not get through. */
  readonly fallback: boolean;
  readonly token: string | undefined;
  /** Goes on in another session when one is lost. */
  readonly reconnect: boolean;
}

export interface ConnectionHooks {
  /** Gives up an attempt to connect. */
  readonly signal: AbortSignal;
  /** Who is told what each session does. */
  readonly observeSession?: () => ObservedSession;
  /** A session was lost, or another one opened. */
  onConnection?(state: ConnectionState): void;
  /** The server of a new session refuses a stream: true where the run goes on without it. */
  onStreamLost?(stream: TensorStream, error: ClientError): boolean;
}

/** A client for one session or, where it reconnects, for as many as it takes. */
export interface StreamClient {
  openStream(options: OpenStreamOptions): Promise<TensorStream>;
  figures(): SessionFigures & { readonly sessions: number };
  readonly limits: SessionLimits | undefined;
  pathEstimate(): PathEstimate | undefined;
  /** Why it has ended for good; `undefined` while it has not. */
  readonly lost: SessionEnd | undefined;
  /** Why it has no session at this moment, or hears nothing of it; `undefined` where it has one. */
  readonly missing: SessionEnd | undefined;
  close(): Promise<void>;
}

/** How the client names itself to the server. */
const agent = "sluice-cli";

/** Connects to the server. @throws ConnectError, ClientError */
export async function openStreamClient(
  options: StreamClientOptions,
  hooks: ConnectionHooks,
): Promise<StreamClient> {
  const { engine, fallback, certificateHash, token } = options;
  let session: Session | undefined;
  const connectNow = async () => {
    session = await connect(options.url, {
      ...{ engine, fallback, signal: hooks.signal },
      ...(certificateHash ? { certificateHash } : {}),
      // The warning has been printed in words of the command line.
      ...(options.insecure ? { insecure: true, log() {} } : {}),
    });
    return session;
  };
  const clientOptions = {
    agent,
    ...(token === undefined ? {} : { token: new TextEncoder().encode(token) }),
    ...(hooks.observeSession ? { observeSession: hooks.observeSession } : {}),
  };
  let lost: SessionEnd | undefined;
  let closing = false;
  const watch = (closed: Promise<SessionEnd>) =>
    void closed.then((end) => {
      if (!closing) lost = end;
    });
  const finish = async (client: { close(): void }) => {
    closing = true;
    client.close();
    await session?.closed;
  };

  if (!options.reconnect) {
    const opened = await connectNow();
    const client = await createClient(opened, clientOptions).catch((error) => {
      opened.close();
      throw error;
    });
    watch(client.closed);
    return {
      openStream: client.openStream,
      figures: () => ({ ...client.figures(), sessions: 1 }),
      get limits() {
        return client.limits;
      },
      pathEstimate: client.pathEstimate,
      get lost() {
        return lost;
      },
      get missing() {
        return lost;
      },
      close: () => finish(client),
    };
  }

  const client = await createReconnectingClient({
    ...clientOptions,
    connect: connectNow,
    onState: (state) => hooks.onConnection?.(state),
    onStreamLost(stream, error) {
      // Without its one stream there is nothing to go on with.
      if (!hooks.onStreamLost?.(stream, error)) client.close(error.code, error.message);
    },
  });
  watch(client.closed);
  return {
    openStream: client.openStream,
    figures: client.figures,
    get limits() {
      return client.limits;
    },
    pathEstimate: client.pathEstimate,
    get lost() {
      return lost;
    },
    get missing() {
      return lost ?? causeOf(client.state);
    },
    close: () => finish(client),
  };
}

function causeOf(state: ConnectionState): SessionEnd | undefined {
  if (state.status === "open" || state.status === "closed") return undefined;
  return "cause" in state ? state.cause : { code: 0, reason: "no session could be opened again" };
}
