import {
  type ClientEvent,
  createClientSession,
  ErrorCode,
  type StreamAcceptance,
  type StreamTensor,
} from "@sluice/protocol";
import {
  type BidirectionalStream,
  createSessionDriver,
  createSystemClock,
  type Session,
  StreamError,
} from "@sluice/transport/core";
import type { Client, ClientOptions, OpenStreamOptions, SessionEnd, TensorStream } from "./client-api.js";
import { ClientError } from "./client-error.js";
import { createFrameSender } from "./frame-sender.js";
import { readResults } from "./result-reader.js";
import { planStream, type StreamPlan } from "./stream-plan.js";
import { uploadTensor } from "./tensor-upload.js";

interface PendingStream {
  resolve(acceptance: StreamAcceptance): void;
  reject(error: ClientError): void;
}

/**
 * Speaks Sluice on a transport session and resolves once the server has welcomed the client.
 * @throws ClientError `session-closed` with the server's code and reason
 */
export async function createClient(session: Session, options: ClientOptions = {}): Promise<Client> {
  const clock = options.clock ?? createSystemClock(globalThis);
  const control = await openControl(session);
  const observed = options.observeSession?.();
  const core = createClientSession(
    {
      ...options,
      agent: (options.agent ?? "sluice-client") + (observed?.agentSuffix ?? ""),
      observe: observed?.observe,
    },
    clock.now(),
  );
  const openings = new Map<number, PendingStream>();
  let idleWaiters: (() => void)[] = [];
  let end: SessionEnd | undefined;
  let welcome: (() => void) | undefined;
  let finish: (info: SessionEnd) => void = () => {};
  const closed = new Promise<SessionEnd>((resolve) => {
    finish = resolve;
  });

  const driver = createSessionDriver({ session, core, control, clock, onProgress });
  readResults(session, core, clock, driver.pump);
  const frames = createFrameSender(core, clock, driver.pump, observed?.observe);

  function onProgress(): boolean {
    let moved = false;
    for (let tensor = core.pollStream(); tensor; tensor = core.pollStream()) void upload(tensor);
    for (let event = core.pollEvent(); event; event = core.pollEvent()) {
      moved = true;
      handleEvent(event);
    }
    if (moved && idleWaiters.length > 0 && core.figures.inFlight === 0) {
      for (const resolve of idleWaiters) resolve();
      idleWaiters = [];
    }
    return moved;
  }

  function handleEvent(event: ClientEvent): void {
    switch (event.type) {
      case "open":
        welcome?.();
        return;
      case "stream-accepted":
        openings.get(event.stream)?.resolve(event);
        openings.delete(event.stream);
        return;
      case "stream-rejected":
        openings.get(event.stream)?.reject(new ClientError("stream-rejected", event.code, event.reason));
        openings.delete(event.stream);
        return;
      case "delivered":
        frames.deliver(event);
        return;
      case "expired":
        frames.expire(event);
        return;
      case "silence":
        options.onSilence?.(event.isSilent);
        return;
      case "drain":
        options.onDrain?.({ code: event.code, reason: event.reason, timeoutMs: event.timeoutMs });
        return;
      case "closed": {
        end = { code: event.code, reason: event.reason };
        driver.close(event.code, event.reason);
        for (const opening of openings.values()) {
          opening.reject(new ClientError("session-closed", event.code, event.reason));
        }
        openings.clear();
        finish(end);
        return;
      }
      default:
        event satisfies never;
    }
  }

  async function upload(tensor: StreamTensor): Promise<void> {
    try {
      await uploadTensor(session, clock, tensor);
    } catch (error) {
      // A reset at the deadline or the end of the session; the ledger counts the frame either way.
      if (error instanceof StreamError) return;
      core.abandon(tensor.stream, tensor.frame);
      driver.pump();
    }
  }

  function sessionClosed(): ClientError {
    const { code, reason } = end ?? { code: ErrorCode.none, reason: "" };
    const isSilent = code === ErrorCode.none && reason === "";
    return new ClientError("session-closed", code, isSilent ? "the session is closed" : reason);
  }

  async function openPlanned({ encoder, wire, readAnswer }: StreamPlan): Promise<TensorStream> {
    if (end) throw sessionClosed();
    const alias = core.openStream(wire);
    const accepted = new Promise<StreamAcceptance>((resolve, reject) =>
      openings.set(alias, { resolve, reject }),
    );
    driver.pump();
    const { concealment, resultFormat, model } = await accepted;
    const { spec, codec, mode, fec, interleave, deadlineMs } = wire;
    const sending = { alias, mode, encoder, resultFormat, readAnswer };
    let nextFrame = wire.firstFrame;
    return {
      ...{ spec, codec, mode, fec, interleave, deadlineMs, concealment, resultFormat, model },
      get nextFrame() {
        nextFrame = core.nextFrame(alias) ?? nextFrame;
        return nextFrame;
      },
      send: (produce, capturedMs = clock.now()) => frames.send(sending, produce, capturedMs),
      close() {
        nextFrame = core.nextFrame(alias) ?? nextFrame;
        core.closeStream(alias);
        driver.pump();
      },
    };
  }

  async function openStream(streamOptions: OpenStreamOptions): Promise<TensorStream> {
    const plan = await planStream(streamOptions, session.maxDatagramBytes > 0);
    const isOwnChoice = streamOptions.interleave === undefined && plan.wire.interleave !== "";
    try {
      return await openPlanned(plan);
    } catch (error) {
      const isUnknown = error instanceof ClientError && error.code === ErrorCode.unknownInterleaving;
      if (!isOwnChoice || !isUnknown) throw error;
      const options = { ...streamOptions, interleave: "contiguous" };
      return openPlanned(await planStream(options, session.maxDatagramBytes > 0));
    }
  }

  const client: Client = {
    openStream,
    get limits() {
      return core.limits!;
    },
    get capabilities() {
      return core.capabilities;
    },
    figures() {
      const { datagramsQueued = 0, datagramsDroppedOutgoing: datagramsDropped = 0 } = session.stats();
      return { ...core.figures, datagramsQueued, datagramsDropped };
    },
    pathEstimate: () => core.pathEstimate(clock.now()),
    idle: () =>
      core.figures.inFlight === 0 ? Promise.resolve() : new Promise((resolve) => idleWaiters.push(resolve)),
    get draining() {
      return core.state === "draining";
    },
    close(code = ErrorCode.none, reason = "") {
      core.handleClosed(code, reason);
      driver.pump();
    },
    closed,
  };

  await new Promise<void>((resolve, reject) => {
    welcome = resolve;
    void closed.then(() => reject(sessionClosed()));
    driver.pump();
  });
  return client;
}

/** @throws ClientError where the server has ended the session already: its code says more than the stream's end */
async function openControl(session: Session): Promise<BidirectionalStream> {
  try {
    return await session.openBidirectional();
  } catch (error) {
    if (!(error instanceof StreamError && error.kind === "closed")) throw error;
    const { code, reason } = await session.closed;
    throw new ClientError("session-closed", code, reason);
  }
}
