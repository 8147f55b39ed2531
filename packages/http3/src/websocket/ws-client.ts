import { ConnectError, MAX_MESSAGE_BYTES, MUX_PROTOCOL, MuxSession, type Session } from "@sluice/transport";
import { WebSocket } from "ws";
import type { EngineConnectOptions } from "../engine.js";
import { openSecureSocket } from "./secure-socket.js";
import { WsChannel } from "./ws-channel.js";

/** Opens a session over `wss`. Rejects with `ConnectError`. */
export async function connectWs(options: EngineConnectOptions): Promise<Session> {
  const { address, port, timeoutMs } = options;
  const where = `${address}:${port}`;
  const timeout = new AbortController();
  const timer = setTimeout(() => {
    timeout.abort(new ConnectError("timeout", `no answer from ${where} over TCP within ${timeoutMs} ms`));
  }, timeoutMs);
  try {
    const secure = await openSecureSocket(options, timeout.signal);
    // The TLS connection is there already, so that for `ws` this is a plain one.
    const socket = new WebSocket(`ws://${options.authority}${options.path}`, [MUX_PROTOCOL], {
      perMessageDeflate: false,
      maxPayload: MAX_MESSAGE_BYTES,
      headers: Object.fromEntries(options.headers),
      createConnection: () => secure,
    });
    await opened(socket, where, timeout.signal);
    return new MuxSession(new WsChannel(socket, options.idleTimeoutMs), "client");
  } finally {
    clearTimeout(timer);
  }
}

function opened(socket: WebSocket, where: string, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const fail = (error: unknown) => {
      reject(error);
      socket.terminate();
    };
    signal.addEventListener("abort", () => fail(signal.reason), { once: true });
    socket.on("open", resolve);
    socket.on("unexpected-response", (_, response) => {
      const status = response.statusCode ?? 0;
      fail(new ConnectError("rejected", `${where} refused the session with HTTP status ${status}`));
    });
    socket.on("error", (error) => {
      fail(
        new ConnectError("refused", `${where} did not open a WebSocket: ${error.message}`, { cause: error }),
      );
    });
  });
}
