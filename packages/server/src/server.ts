import { defaultLimits, ErrorCode, type SessionLimits } from "@sluice/protocol";
import { type Clock, createSystemClock, type TransportServer } from "@sluice/transport";
import { type Connection, createConnection } from "./connection.js";
import { createScheduler } from "./scheduler.js";
import type { OpenServedStream } from "./served-model.js";
import type { ServerLog, ServerObserver } from "./server-observer.js";

export interface ServerOptions {
  readonly transport: TransportServer;
  readonly openServedStream: OpenServedStream;
  /** What each session may do. Default: `defaultLimits`. */
  readonly limits?: Partial<SessionLimits>;
  /** Whether a client with this token may come in. Default: everyone. */
  readonly authorize?: (token: Uint8Array) => boolean;
  /** Frames of all sessions that the model works on at once. Default 2. */
  readonly concurrency?: number;
  /** Frames of all sessions that wait for the model. Default 256. */
  readonly maxQueued?: number;
  /** Bytes that those frames hold together. Default 256 MiB. */
  readonly maxQueuedBytes?: number;
  readonly clock?: Clock;
  readonly log?: ServerLog;
  readonly observer?: ServerObserver;
}

/** A running server. */
export interface Server {
  readonly sessions: number;
  /** Tells every client to send no new frames, waits until what is in flight is answered, then closes. */
  drain(timeoutMs: number): Promise<void>;
  close(): Promise<void>;
}

const silentLog: ServerLog = { debug() {}, info() {}, warn() {}, error() {} };
const noObserver: ServerObserver = {
  observeSessionOpened() {},
  observeSessionEnded() {},
  observeFrame() {},
  observeSlicesReceived() {},
  observeSlicesRejected() {},
  observeReceivedBytes() {},
  observeSentBytes() {},
  observeConcealedRatio() {},
  observeStage() {},
  observeFrameAge() {},
  observeDatagramsDropped() {},
  observeProtocolError() {},
};
/** Frames may be on their way when a drain begins: clients hear of it only after half a round trip. */
const drainGraceMs = 200;
/** How often a drain looks whether it is done. */
const drainCheckMs = 20;

/** Serves every session that the transport accepts. */
export function createServer(options: ServerOptions): Server {
  const { transport, log = silentLog, observer = noObserver } = options;
  const clock = options.clock ?? createSystemClock(globalThis);
  const connections = new Set<Connection>();
  const scheduler = createScheduler({
    ...{ clock, concurrency: options.concurrency ?? 2, maxQueued: options.maxQueued ?? 256 },
    maxQueuedBytes: options.maxQueuedBytes ?? 256 * 1024 * 1024,
  });

  transport.onSession((session) => {
    const connection = createConnection({
      ...{ session, scheduler, clock, log, observer, openServedStream: options.openServedStream },
      limits: { ...defaultLimits, ...options.limits },
      ...(options.authorize ? { authorize: options.authorize } : {}),
    });
    connections.add(connection);
    void connection.closed.then(() => connections.delete(connection));
  });

  async function close(): Promise<void> {
    for (const connection of connections) connection.close(ErrorCode.shutdown, "the server shuts down");
    await transport.close(ErrorCode.shutdown, "the server shuts down");
  }

  return {
    get sessions() {
      return connections.size;
    },
    close,
    async drain(timeoutMs) {
      const startMs = clock.now();
      for (const connection of connections) connection.drain("the server shuts down");
      const isBusy = () => [...connections].some((connection) => connection.busy);
      const mustWait = (elapsedMs: number) => connections.size > 0 && (elapsedMs < drainGraceMs || isBusy());
      while (clock.now() - startMs < timeoutMs && mustWait(clock.now() - startMs)) {
        await new Promise<void>((resolve) => clock.schedule(drainCheckMs, resolve));
      }
      await close();
    },
  };
}
