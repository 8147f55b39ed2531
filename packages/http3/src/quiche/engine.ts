import { isIP } from "node:net";
import { ConnectError, type Session } from "@sluice/transport";
import type { Engine, EngineConnectOptions } from "../engine.js";
import { DEFAULT_QUIC_OPTIONS } from "./config.js";
import type { ToMain } from "./messages.js";
import { QuicServer } from "./quic-server.js";
import { QuicSession } from "./quic-session.js";
import type { QuicThreadName } from "./quic-thread.js";
import { type QuicWorker, sharedQuicWorker } from "./quic-worker.js";

/**
 * The engine on quiche, which runs once in a process: `thread` is where, unless it runs already. Rejects where its
 * native code cannot be loaded.
 */
export async function createQuicheEngine(thread?: QuicThreadName): Promise<Engine> {
  await sharedQuicWorker(thread).ready();
  let nextSession = 1;
  return {
    name: "quiche",
    get thread() {
      return sharedQuicWorker().name;
    },
    connect(options) {
      return connect(sharedQuicWorker(), nextSession++, options);
    },
    listen: (options) => QuicServer.listen(options),
  };
}

function connect(worker: QuicWorker, handle: number, options: EngineConnectOptions): Promise<Session> {
  return new Promise((resolve, reject) => {
    worker.addSession(handle, {
      handleMessage(message: ToMain) {
        if (message.type === "connected") {
          const session = new QuicSession(handle, worker, message);
          worker.addSession(handle, session);
          resolve(session);
        } else if (message.type === "connect-failed") {
          worker.removeSession(handle);
          reject(new ConnectError(message.kind, message.message));
        }
      },
      handleDeath(reason) {
        reject(new ConnectError("engine", `the QUIC worker died: ${reason}`));
      },
    });
    worker.post({
      type: "connect",
      session: handle,
      host: options.address,
      port: options.port,
      serverName: isIP(options.host) === 0 ? options.host : undefined,
      authority: options.authority,
      path: options.path,
      headers: options.headers,
      trust: options.trust,
      timeoutMs: options.timeoutMs,
      quic: {
        ...DEFAULT_QUIC_OPTIONS,
        idleTimeoutMs: options.idleTimeoutMs,
        maxPacketBytes: options.maxPacketBytes,
      },
    });
  });
}
