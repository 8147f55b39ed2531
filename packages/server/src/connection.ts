import {
  createServerSession,
  ErrorCode,
  errorCodeLabel,
  errorCodeName,
  type FrameAnswer,
  type ReceivedFrame,
  type ServerEvent,
  type SessionEvent,
  type SessionLimits,
  type SessionObserver,
} from "@sluice/protocol";
import {
  type BidirectionalStream,
  type Clock,
  createSessionDriver,
  type ReceiveStream,
  type Session,
  type TimeShares,
} from "@sluice/transport";
import type { Capture } from "./capture/capture.js";
import { createFrameTask, type FrameTaskParts, nothingDone, sessionClosed } from "./frame-task.js";
import { type Identities, type Identity, strictest } from "./identities.js";
import { countMissingUnits } from "./missing-units.js";
import { createResultUploads } from "./result-uploads.js";
import type { Scheduler } from "./scheduling/scheduler.js";
import { type OpenServedStream, StreamRefusal } from "./served-model.js";
import type { ServerLog, ServerObserver } from "./server-observer.js";
import type { SpareTensors } from "./spare-tensors.js";
import { createTensorReceiver } from "./tensor-receiver.js";
import { createUploadMemory } from "./upload-memory.js";

export interface ConnectionOptions {
  readonly session: Session;
  readonly limits: SessionLimits;
  /** Who may come in. Default: everyone. */
  readonly identities?: Identities;
  readonly capabilities?: readonly string[];
  readonly openServedStream: OpenServedStream;
  readonly scheduler: Scheduler;
  readonly reading: TimeShares;
  /** Memory for tensors, of all sessions together. */
  readonly spare: SpareTensors;
  readonly clock: Clock;
  readonly log: ServerLog;
  readonly observer: ServerObserver;
  /** Keeps frames for `sluice replay`. */
  readonly capture?: Capture;
  /** Who is told what the session does, once it is open. */
  readonly observeSession?: (agent: string) => SessionObserver;
}

/** One client's session: feeds the protocol core and does what its events ask for. */
export interface Connection {
  /** Asks the client to send no new frames, and closes when what is in flight is answered or the time is over. */
  drain(reason: string, timeoutMs: number): void;
  setLimits(limits: SessionLimits): void;
  /** What its identity may do at most. */
  readonly ownLimits: Partial<SessionLimits> | undefined;
  /** Frames that the client has sent and the limits have let in. */
  readonly framesOffered: number;
  /** Datagrams that its transport has not sent yet. */
  readonly datagramsQueued: number;
  close(code: number, reason: string): void;
  readonly closed: Promise<void>;
}

/** Unidirectional streams of one client that are read at once; more are stopped with `limitExceeded`. */
const maxTensorStreams = 64;
/** The observer hears of counts no more often: gathering them costs more than a frame's way through here. */
const reportIntervalMs = 100;
/** How the server names itself to clients. */
const agent = "sluice-server";

export function createConnection(options: ConnectionOptions): Connection {
  const { session, clock, log, observer, observeSession } = options;
  let told: SessionObserver | undefined;
  const observe = (event: SessionEvent): void => {
    if (event.name === "session_opened") told = observeSession?.(event.agent);
    told?.(event);
  };
  const core = createServerSession(
    {
      ...{ agent, limits: options.limits, capabilities: options.capabilities ?? [] },
      ...(options.identities ? { authorize } : {}),
      ...(observeSession ? { observe } : {}),
    },
    clock.now(),
  );
  let identity: Identity | undefined;
  const occupant = {
    silentMs: () => core.silentMs(clock.now()),
    giveWay: () =>
      close(ErrorCode.peerSilent, "nothing was heard of the client, and another session needs the room"),
  };
  const streams = new Map<number, FrameTaskParts>();
  /** Those that were asked for and have not ended, and what is to be done when they do. */
  const releases = new Map<number, (() => void) | undefined>();
  const tensorMemory = createUploadMemory();
  const uploads = createResultUploads(session, {
    onFailed(stream, frame) {
      core.resultStopped(stream, frame, clock.now());
      driver?.pump();
    },
  });
  const account = options.scheduler.openAccount();
  const reading = options.reading.open();
  let unread = 0;
  let unheardMs = 0;
  let isIgnoranceLogged = false;
  let isPumpDue = false;
  let driver: ReturnType<typeof createSessionDriver> | undefined;
  let nextTensorStream = 0;
  let readingStreams = 0;
  let reported = core.figures;
  let reportedAtMs = clock.now();
  let reportedDrops = { queueFull: 0, tooBig: 0 };

  // Without a control stream there is no driver yet, and nobody else would end the session.
  const handshake = clock.schedule(Math.max(0, core.nextTimeoutMs() - clock.now()) + 1, () => {
    if (driver) return;
    session.close(ErrorCode.handshakeTimeout, "no control stream was opened");
  });

  session.onBidirectional((stream) => {
    if (driver) {
      refuseStream(stream);
      return;
    }
    driver = createSessionDriver({ session, core, control: stream, clock, onProgress, onDatagrams });
    session.onUnidirectional((tensor) => void readTensorStream(tensor));
    driver.pump();
  });

  const closed = session.closed.then(({ code, reason, by }) => {
    clock.cancel(handshake);
    const failed = by === "transport" || code !== ErrorCode.none;
    observer.observeSessionEnded(failed ? "failed" : "closed");
    core.handleClosed(code, reason);
    log.info({ code, codeName: errorCodeName(code), reason, by, ...core.figures }, "session ended");
    options.scheduler.closeAccount(account);
    for (const stream of releases.keys()) endStream(stream);
    reading.close();
    if (identity) options.identities?.leave(identity, occupant);
    report();
  });

  observer.observeSessionOpened();

  function refuseStream(stream: BidirectionalStream): void {
    stream.receive.stop(ErrorCode.protocolViolation);
    stream.send.reset(ErrorCode.protocolViolation);
  }

  async function readTensorStream(stream: ReceiveStream): Promise<void> {
    if (readingStreams >= maxTensorStreams) {
      stream.stop(ErrorCode.limitExceeded);
      return;
    }
    readingStreams++;
    const id = nextTensorStream++;
    const upload = tensorMemory.open(stream);
    try {
      for (let chunk = await stream.read(); chunk; chunk = await stream.read()) {
        upload.add(chunk);
        core.handleTensorStream(id, chunk, clock.now());
        driver?.pump();
      }
    } catch {
      // Reset at the frame's deadline, or the session has ended: what came is used either way.
    }
    readingStreams--;
    core.handleTensorStream(id, undefined, clock.now());
    upload.end();
    driver?.pump();
  }

  /** What comes beyond the session's share of this thread's time is lost unread. */
  function onDatagrams(batch: readonly Uint8Array[], read: () => void): void {
    const startMs = clock.now();
    if (!reading.mayUse(startMs)) {
      unread += batch.length;
      return;
    }
    read();
    const endMs = clock.now();
    reading.hasUsed(endMs - startMs, endMs);
  }

  /** Lets the client in if its token says so, with the limits of its identity. */
  function authorize(token: Uint8Array): boolean {
    identity = options.identities?.enter(token, occupant);
    if (identity?.limits) core.setLimits(strictest(options.limits, identity.limits));
    return identity !== undefined;
  }

  function onProgress(): boolean {
    let moved = false;
    for (let result = core.pollResult(); result; result = core.pollResult()) uploads.push(result);
    for (let event = core.pollEvent(); event; event = core.pollEvent()) {
      moved = true;
      handleEvent(event);
    }
    if (unheardMs > 0) ignorePeer();
    if (clock.now() - reportedAtMs >= reportIntervalMs) report();
    return moved;
  }

  /** Once for all frames that came together. */
  function ignorePeer(): void {
    session.ignorePeer?.(unheardMs);
    unheardMs = 0;
    if (isIgnoranceLogged || !session.ignorePeer) return;
    isIgnoranceLogged = true;
    log.warn({ identity: identity?.name }, "a client far beyond its limits is hardly heard for a while");
  }

  /** Tells the observer what has been added since the last time. */
  function report(): void {
    reportedAtMs = clock.now();
    const { figures } = core;
    observer.observeSlicesReceived(figures.slicesReceived - reported.slicesReceived);
    observer.observeSlicesRecovered(figures.slicesRecovered - reported.slicesRecovered);
    observer.observeFramesBegun(figures.framesBegun - reported.framesBegun);
    for (let i = reported.framesAbandoned; i < figures.framesAbandoned; i++)
      observer.observeFrame("expired", sessionClosed);
    for (const outcome of Object.keys(figures.repairs) as (keyof typeof figures.repairs)[]) {
      const count = figures.repairs[outcome] - reported.repairs[outcome];
      if (count > 0) observer.observeRepairSymbols(outcome, count);
    }
    observer.observeReceivedBytes(figures.bytesReceived - reported.bytesReceived);
    observer.observeSentBytes(figures.bytesSent - reported.bytesSent);
    const { started, bytes, ...givenUp } = figures.resultUploads;
    const before = reported.resultUploads;
    observer.observeResultStreams(started - before.started, bytes - before.bytes);
    for (const reason of Object.keys(givenUp) as (keyof typeof givenUp)[]) {
      const count = givenUp[reason] - before[reason];
      if (count > 0) observer.observeResultsGivenUp(reason, count);
    }
    reported = figures;
    const { queueFull, tooBig } = driver?.dropped ?? reportedDrops;
    observer.observeDatagramsDropped("sent", "queue-full", queueFull - reportedDrops.queueFull);
    observer.observeDatagramsDropped("sent", "too-big", tooBig - reportedDrops.tooBig);
    reportedDrops = { queueFull, tooBig };
    observer.observeDatagramsDropped("received", "beyond-share", unread);
    unread = 0;
  }

  function handleEvent(event: ServerEvent): void {
    switch (event.type) {
      case "open":
        log.info(
          { agent: event.agent, capabilities: event.capabilities, identity: identity?.name },
          "session opened",
        );
        return;
      case "stream-requested":
        void openStream(event);
        return;
      case "stream-closed":
        endStream(event.stream);
        return;
      case "frame":
        handleFrame(event.frame);
        return;
      case "shed":
        unheardMs = event.unheardMs;
        observer.observeFrame("rejected", errorCodeLabel(event.code));
        return;
      case "slice-refused":
        observer.observeSlicesRejected(event.receipt);
        return;
      case "result-ended":
        uploads.end(event.stream, event.frame, event.resetCode);
        return;
      case "closed":
        if (event.code !== ErrorCode.none) observer.observeProtocolError(errorCodeLabel(event.code));
        driver?.close(event.code, event.reason);
        return;
      default:
        event satisfies never;
    }
  }

  function endStream(stream: number): void {
    streams.delete(stream);
    releases.get(stream)?.();
    releases.delete(stream);
  }

  async function openStream(event: Extract<ServerEvent, { type: "stream-requested" }>): Promise<void> {
    const { stream, options: wanted } = event;
    const { model, split, codec, mode, spec, resultContent: content, maxResultBytes } = wanted;
    releases.set(stream, undefined);
    try {
      const served = await options.openServedStream({ model, split, spec, content, maxResultBytes });
      // It may have ended while the network was loaded.
      if (!releases.has(stream)) {
        served.release?.();
        return;
      }
      releases.set(stream, served.release);
      const receiver = await createTensorReceiver(wanted, served, options.spare);
      const capture = options.capture?.openStream(wanted, receiver);
      streams.set(stream, {
        ...{ receiver, account, clock, log, observer, capture, observe: told, answer },
        // A capture keeps the slices until the frame has ended.
        onDecoded: capture ? undefined : (frame) => tensorMemory.handleDecoded(frame.slices),
      });
      const answers = { resultFormat: receiver.resultFormat, model: served.model ?? model };
      core.acceptStream(stream, receiver.units, receiver.concealment, answers);
      log.info({ stream, model, split, codec, mode, shape: spec.shape }, "tensor stream opened");
    } catch (error) {
      endStream(stream);
      const refusal =
        error instanceof StreamRefusal
          ? error
          : new StreamRefusal(ErrorCode.internal, "the model could not be opened");
      if (refusal !== error)
        log.error({ err: error, stream, model, split }, "opening a tensor stream failed");
      else
        log.info(
          { stream, model, split, code: refusal.code, reason: refusal.message },
          "tensor stream rejected",
        );
      core.rejectStream(stream, refusal.code, refusal.message);
    }
    driver?.pump();
  }

  function handleFrame(frame: ReceivedFrame): void {
    const stream = streams.get(frame.stream);
    if (!stream) {
      answer(frame, { outcome: "expired", code: ErrorCode.unknownStream, ...nothingDone });
      return;
    }
    observer.observeStage("reassembly", frame.lastArrivalMs - frame.firstArrivalMs);
    const { missing, runs } = countMissingUnits(frame);
    observer.observeUnits(frame.units, missing, runs);
    options.scheduler.push(createFrameTask(stream, frame));
  }

  function answer(frame: ReceivedFrame, end: FrameAnswer): void {
    const nowMs = clock.now();
    const { outcome, code } = core.answer(frame, end, nowMs);
    observer.observeFrame(
      outcome === "done" ? "delivered" : outcome,
      code === undefined ? undefined : errorCodeLabel(code),
    );
    observer.observeFrameAge("result", nowMs - frame.capturedMs);
    if (isPumpDue) return;
    isPumpDue = true;
    queueMicrotask(pumpAnswers);
  }

  /** The answers of frames that ran together leave together, in as few datagrams as hold them. */
  function pumpAnswers(): void {
    isPumpDue = false;
    driver?.pump();
  }

  function close(code: number, reason: string): void {
    core.close(code, reason);
    if (driver) driver.pump();
    else session.close(code, reason);
  }

  return {
    drain(reason, timeoutMs) {
      if (!driver) {
        close(ErrorCode.shutdown, reason);
        return;
      }
      core.drain(ErrorCode.shutdown, reason, timeoutMs, clock.now());
      driver.pump();
    },
    setLimits(limits) {
      core.setLimits(limits);
      driver?.pump();
    },
    get ownLimits() {
      return identity?.limits;
    },
    get framesOffered() {
      return account.offered;
    },
    get datagramsQueued() {
      return session.stats().datagramsQueued ?? 0;
    },
    close,
    closed,
  };
}
