/** A client that reconnects, over this page's own simulated network or, where UDP does not get through, a WebSocket. */
import {
  type ConnectionState,
  createReconnectingClient,
  type ReconnectingClient,
  type ReconnectingClientOptions,
} from "@sluice/client";
import { type BrowserTransport, connect } from "@sluice/client/browser";
import { fetchServer, type PathState } from "./server-api.js";

export interface OpenSessionOptions {
  /** Sets the network and says at which port it is; for every attempt, since a server that was restarted has none. */
  readonly openPath: () => Promise<PathState>;
  readonly onState: (state: ConnectionState) => void;
  readonly onTransport: (transport: BrowserTransport) => void;
  readonly onStreamLost: NonNullable<ReconnectingClientOptions["onStreamLost"]>;
}

const timeoutMs = 4_000;
/** Whoever plays with the network here wants to see what it does: sooner than the default. */
const silenceMs = 2_500;
/** The wait before a first attempt fails; then they grow. */
const maxWaitMs = 2_000;

/** Retries until there is a first session, too: the page may be older than the server. */
export async function openSession(options: OpenSessionOptions): Promise<ReconnectingClient> {
  const webSocket = `${location.protocol === "https:" ? "wss" : "ws"}://${location.host}/session`;
  const connectNow = async () => {
    const { port } = await options.openPath();
    const { certificateHashes, host } = await fetchServer();
    const anywhere = host === "0.0.0.0" || host === "::";
    return connect(`https://${anywhere ? location.hostname : host}:${port}`, {
      ...{ certificateHashes, timeoutMs, fallback: webSocket, onTransport: options.onTransport },
    });
  };
  for (;;) {
    try {
      return await createReconnectingClient({
        ...{ agent: "sluice-demo", maxMs: maxWaitMs, silenceMs, connect: connectNow },
        onState: options.onState,
        onStreamLost: options.onStreamLost,
      });
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      options.onState({ status: "waiting", delayMs: maxWaitMs, cause: { code: 0, reason, again: true } });
      await new Promise((resolve) => setTimeout(resolve, maxWaitMs));
    }
  }
}
