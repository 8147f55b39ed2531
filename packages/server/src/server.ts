import { defaultLimits, ErrorCode, type SessionLimits, type SessionObserver } from "@sluice/protocol";
import { type Clock, createSystemClock, createTimeShares, type TransportServer } from "@sluice/transport";
import type { Capture } from "./capture/capture.js";
import { type Connection, createConnection } from "./connection.js";
import { type Authorize, createIdentities, strictest } from "./identities.js";
import { createLoadWatch } from "./load-watch.js";
import { createScheduler } from "./scheduling/scheduler.js";
import type { OpenServedStream } from "./served-model.js";
import type { ServerLog, ServerObserver } from "./server-observer.js";
import { createSpareTensors } from "./spare-tensors.js";

export interface ServerOptions {
  readonly transport: TransportServer;
  readonly openServedStream: OpenServedStream;
  /** What each session may do. Default: `defaultLimits`. */
  readonly limits?: Partial<SessionLimits>;
  /** Whether a client with this token may come in, as whom, and with which limits. Default: everyone. */
  readonly authorize?: Authorize;
  /** Names from the registry of what this server can do beyond the version. Default: none. */
  readonly capabilities?: readonly string[];
  /** Networks that work at once. Default 2. */
  readonly concurrency?: number;
  /** Frames of all sessions that wait for the networks. Default 256. */
  readonly maxQueued?: number;
  /** Bytes that those frames hold together. Default 256 MiB. */
  readonly maxQueuedBytes?: number;
  readonly clock?: Clock;
  readonly log?: ServerLog;
  readonly observer?: ServerObserver;
  /** Keeps frames for `sluice replay` (`createCapture`). Default: none. */
  readonly capture?: Capture;
  /**
   * Asked once for each session that opens, with what the client calls itself: who is told what the session does, for traces
   * and qlog files (`createTracing` of `@sluice/tracing`). Default: nobody.
   */
  readonly observeSession?: (agent: string) => SessionObserver;
}

/** A running server. */
export interface Server {
  readonly sessions: number;
  /** What waits at this moment: frames for the networks with their bytes, and datagrams for the transports. */
  queues(): { readonly frames: number; readonly frameBytes: number; readonly datagrams: number };
  /** Changes what each session may do, the open ones included. */
  setLimits(limits: Partial<SessionLimits>): void;
  /**
   * Tells every client to send no new frames, takes no new sessions, closes each one when what is in flight is answered,
   * all of them after `timeoutMs`, and then the transport.
   */
  drain(timeoutMs: number): Promise<void>;
  close(): Promise<void>;
}

const silentLog: ServerLog = { debug() {}, info() {}, warn() {}, error() {} };
const noObserver: ServerObserver = {
  observeSessionOpened() {},
  observeSessionEnded() {},
  observeFrame() {},
  observeFramesBegun() {},
  observeSlicesReceived() {},
  observeSlicesRecovered() {},
  observeRepairSymbols() {},
  observeSlicesRejected() {},
  observeReceivedBytes() {},
  observeSentBytes() {},
  observeResultStreams() {},
  observeResultsGivenUp() {},
  observeUnits() {},
  observeConcealedRatio() {},
  observeStage() {},
  observeFrameAge() {},
  observeDatagramsDropped() {},
  observeBatch() {},
  observeLoadLimit() {},
  observeProtocolError() {},
};
/** What clients are told when the server ends. */
const shutdownReason = "the server shuts down";
/** How long the end of a session may take to be known after its time. */
const lateCloseMs = 500;

/** Serves every session that the transport accepts. */
export function createServer(options: ServerOptions): Server {
  const { transport, log = silentLog, observer = noObserver } = options;
  const clock = options.clock ?? createSystemClock(globalThis);
  const connections = new Set<Connection>();
  const scheduler = createScheduler({
    ...{ clock, concurrency: options.concurrency ?? 2, maxWaiting: options.maxQueued ?? 256 },
    maxWaitingBytes: options.maxQueuedBytes ?? 256 * 1024 * 1024,
    onBatch: (frames) => observer.observeBatch(frames),
  });

  const reading = createTimeShares();
  const spare = createSpareTensors();
  const identities = options.authorize ? createIdentities(options.authorize) : undefined;
  let limits: SessionLimits = { ...defaultLimits, ...options.limits };
  let draining = false;
  const load = createLoadWatch({
    ...{ clock, connections, scheduler },
    onLimit(framesPerSecond) {
      log.info({ framesPerSecond }, "the load changes what sessions may send");
      observer.observeLoadLimit(framesPerSecond);
      announce();
    },
  });

  /** The stricter of what is configured and what the load leaves. */
  const currentLimits = () => strictest(limits, { framesPerSecond: load.framesPerSecond });

  function announce(): void {
    for (const connection of connections)
      connection.setLimits(strictest(currentLimits(), connection.ownLimits));
  }

  transport.onSession((session) => {
    if (draining) {
      session.close(ErrorCode.shutdown, shutdownReason);
      return;
    }
    const connection = createConnection({
      ...{
        session,
        scheduler,
        reading,
        spare,
        clock,
        log,
        observer,
        openServedStream: options.openServedStream,
      },
      limits: currentLimits(),
      ...(identities ? { identities } : {}),
      ...(options.capabilities ? { capabilities: options.capabilities } : {}),
      ...(options.capture ? { capture: options.capture } : {}),
      ...(options.observeSession ? { observeSession: options.observeSession } : {}),
    });
    connections.add(connection);
    load.sessionsChanged();
    void connection.closed.then(() => {
      connections.delete(connection);
      load.sessionsChanged();
    });
  });

  async function close(): Promise<void> {
    for (const connection of connections) connection.close(ErrorCode.shutdown, shutdownReason);
    await transport.close(ErrorCode.shutdown, shutdownReason);
  }

  return {
    get sessions() {
      return connections.size;
    },
    queues() {
      const datagrams = [...connections].reduce((sum, { datagramsQueued }) => sum + datagramsQueued, 0);
      return { frames: scheduler.waiting, frameBytes: scheduler.waitingBytes, datagrams };
    },
    close,
    setLimits(changed) {
      limits = { ...limits, ...changed };
      announce();
    },
    async drain(timeoutMs) {
      draining = true;
      const ended = Promise.all([...connections].map((connection) => connection.closed));
      for (const connection of connections) connection.drain(shutdownReason, timeoutMs);
      let timer: unknown;
      // Each session ends itself in time; this is for a transport that does not say so.
      const impatience = new Promise<void>((resolve) => {
        timer = clock.schedule(timeoutMs + lateCloseMs, resolve);
      });
      await Promise.race([ended, impatience]);
      clock.cancel(timer);
      await close();
    },
  };
}
