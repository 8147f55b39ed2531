import { defaultCodec, parseCodec, type TensorEncoder } from "@sluice/codec";
import {
  type ClientEvent,
  type ClientFigures,
  createClientSession,
  type DeliveryMode,
  ErrorCode,
  type OutgoingFrame,
  type SessionLimits,
  type StreamTensor,
  tensorStreamDefaults,
} from "@sluice/protocol";
import type { CutStatistics, Tensor, TensorSpec } from "@sluice/tensor";
import {
  type Clock,
  createSessionDriver,
  createSystemClock,
  type Session,
  type StreamError,
} from "@sluice/transport";
import { ClientError } from "./client-error.js";
import type { FrameOutcome } from "./frame-outcome.js";
import { readAnswer } from "./read-answer.js";

export interface ClientOptions {
  /** Bearer token, where the server asks for one. */
  readonly token?: Uint8Array;
  /** Names the application in the server's log. */
  readonly agent?: string;
  /** Default: the host's own. */
  readonly clock?: Clock;
}

/** The statistics of a cut, and the SHA-256 that both ends compare. */
export interface AgreedStatistics {
  readonly value: CutStatistics;
  readonly hash: Uint8Array;
}

export interface OpenStreamOptions {
  /** The model as the server knows it. */
  readonly model: string;
  /** The tensor at the cut; empty: the model's input. */
  readonly split?: string;
  readonly spec: TensorSpec;
  /** Text form of a codec chain. Default: quantization for float32, else the elements as they are. */
  readonly codec?: string;
  /** Default `datagram`; on a session without datagrams it becomes `stream`. */
  readonly mode?: DeliveryMode;
  /** How long after its capture a result is useful, in milliseconds. Default 150. */
  readonly deadlineMs?: number;
  /** Concealment method; default: the server's choice. */
  readonly concealment?: string;
  readonly statistics?: AgreedStatistics;
}

/** A stream of tensors of one spec to one model. */
export interface TensorStream {
  readonly spec: TensorSpec;
  /** The codec in its canonical text form. */
  readonly codec: string;
  readonly mode: DeliveryMode;
  readonly deadlineMs: number;
  /** The method that the server conceals with. */
  readonly concealment: string;
  /**
   * Offers a frame. The gate decides first; only for an admitted frame is `produce` called, which gives the tensor
   * (or a promise of it). The tensor must not change until the frame has ended. Never rejects for reasons of the
   * network: the outcome says what became of the frame.
   * @param capturedMs when the frame was captured, on the client's clock; default: now
   * @throws what `produce` throws, TensorError where the tensor is not of the stream's spec
   */
  send(produce: Tensor | (() => Tensor | Promise<Tensor>), capturedMs?: number): Promise<FrameOutcome>;
  /** No more frames follow. */
  close(): void;
}

export interface Client {
  openStream(options: OpenStreamOptions): Promise<TensorStream>;
  /** What the server allows now. */
  readonly limits: SessionLimits;
  /** Counts and estimates of the session. */
  figures(): ClientFigures;
  /** Resolves when no frame is in flight. */
  idle(): Promise<void>;
  /** Whether the server has asked for no new frames. */
  readonly draining: boolean;
  close(code?: number, reason?: string): void;
  /** Settles once, never rejects. */
  readonly closed: Promise<{ readonly code: number; readonly reason: string }>;
}

/** Slices of tensors on streams of their own: large, but small enough to be used when a stream is reset. */
const streamSliceBytes = 16_384;

interface PendingFrame {
  readonly produceMs: number;
  readonly encodeMs: number;
  resolve(outcome: FrameOutcome): void;
}

interface PendingStream {
  resolve(concealment: string): void;
  reject(error: ClientError): void;
}

/**
 * Speaks Sluice on a transport session and resolves once the server has welcomed the client.
 * @throws ClientError `session-closed` with the server's code and reason
 */
export async function createClient(session: Session, options: ClientOptions = {}): Promise<Client> {
  const clock = options.clock ?? createSystemClock(globalThis);
  const control = await session.openBidirectional();
  const core = createClientSession(
    { agent: options.agent ?? "sluice-client", ...(options.token ? { token: options.token } : {}) },
    clock.now(),
  );
  const frames = new Map<string, PendingFrame>();
  const openings = new Map<number, PendingStream>();
  let idleWaiters: (() => void)[] = [];
  let end: { code: number; reason: string } | undefined;
  let welcome: (() => void) | undefined;
  let finish: (info: { code: number; reason: string }) => void = () => {};
  const closed = new Promise<{ code: number; reason: string }>((resolve) => {
    finish = resolve;
  });

  const driver = createSessionDriver({ session, core, control, clock, onProgress });

  function onProgress(): boolean {
    let moved = false;
    for (let tensor = core.pollStream(); tensor; tensor = core.pollStream()) void sendStream(tensor);
    for (let event = core.pollEvent(); event; event = core.pollEvent()) {
      moved = true;
      handleEvent(event);
    }
    if (moved && core.figures.inFlight === 0) {
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
        openings.get(event.stream)?.resolve(event.concealment);
        openings.delete(event.stream);
        return;
      case "stream-rejected":
        openings.get(event.stream)?.reject(new ClientError("stream-rejected", event.code, event.reason));
        openings.delete(event.stream);
        return;
      case "delivered":
        deliver(event);
        return;
      case "expired":
        settle(event.frame.stream, event.frame.frame, () => ({ status: "expired", reason: event.reason }));
        return;
      case "drain":
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

  function settle(stream: number, frame: number, outcome: (pending: PendingFrame) => FrameOutcome): void {
    const key = `${stream}/${frame}`;
    const pending = frames.get(key);
    frames.delete(key);
    pending?.resolve(outcome(pending));
  }

  function deliver(event: Extract<ClientEvent, { type: "delivered" }>): void {
    const { frame, result, latencyMs, onTime } = event;
    let answer: unknown;
    try {
      answer = result.payload.length > 0 ? readAnswer(result.payload) : undefined;
    } catch {
      core.handleClosed(ErrorCode.protocolViolation, "result: its payload is not MessagePack");
    }
    settle(frame.stream, frame.frame, ({ produceMs, encodeMs }) => {
      const stage = (name: "reassembly" | "decode" | "conceal" | "queue" | "inference") =>
        (result.stages?.[name] ?? 0) / 100;
      const server = {
        ...{ reassembly: stage("reassembly"), decode: stage("decode"), conceal: stage("conceal") },
        ...{ queue: stage("queue"), inference: stage("inference") },
      };
      const known = Object.values(server).reduce((sum, ms) => sum + ms, produceMs + encodeMs);
      return {
        ...{ status: "delivered", frame: frame.frame, onTime, latencyMs, answer },
        concealedFraction: result.elements > 0 ? result.concealedElements / result.elements : 0,
        slicesReceived: result.slicesReceived,
        timings: { produce: produceMs, encode: encodeMs, ...server, network: Math.max(0, latencyMs - known) },
      };
    });
  }

  async function sendStream(tensor: StreamTensor): Promise<void> {
    try {
      const stream = await session.openUnidirectional();
      let timer: unknown;
      if (tensor.resetAtMs !== Number.POSITIVE_INFINITY) {
        const delayMs = Math.max(0, tensor.resetAtMs - clock.now());
        timer = clock.schedule(delayMs, () => stream.reset(ErrorCode.deadline));
      }
      try {
        await stream.write(tensor.bytes);
        await stream.finish();
      } finally {
        if (timer !== undefined) clock.cancel(timer);
      }
    } catch (error) {
      // A reset at the deadline or the end of the session; the ledger counts the frame either way.
      if ((error as StreamError).name !== "StreamError") {
        core.abandon(tensor.stream, tensor.frame);
        driver.pump();
      }
    }
  }

  function sessionClosed(): ClientError {
    return new ClientError("session-closed", end?.code ?? 0, end?.reason ?? "the session is closed");
  }

  function openStream(streamOptions: OpenStreamOptions): Promise<TensorStream> {
    const { spec, statistics, model, split = "", deadlineMs = 150, concealment = "" } = streamOptions;
    const text = streamOptions.codec ?? (spec.dtype === "float32" ? defaultCodec : "raw");
    const codec = parseCodec(text);
    const encoder = codec.createEncoder(spec, statistics?.value);
    const wanted = streamOptions.mode ?? "datagram";
    const mode = wanted === "datagram" && session.maxDatagramBytes === 0 ? "stream" : wanted;
    if (end) return Promise.reject(sessionClosed());
    const statisticsHash = statistics?.hash ?? new Uint8Array(0);
    const alias = core.openStream({
      ...{ spec, model, split, codec: codec.text, mode, deadlineMs, concealment, statisticsHash },
      ...tensorStreamDefaults,
    });
    const accepted = new Promise<string>((resolve, reject) => openings.set(alias, { resolve, reject }));
    driver.pump();
    return accepted.then((method) => ({
      ...{ spec, codec: codec.text, mode, deadlineMs, concealment: method },
      send: (produce, capturedMs = clock.now()) => send(alias, encoder, mode, produce, capturedMs),
      close() {
        core.closeStream(alias);
        driver.pump();
      },
    }));
  }

  async function send(
    alias: number,
    encoder: TensorEncoder,
    mode: DeliveryMode,
    produce: Tensor | (() => Tensor | Promise<Tensor>),
    capturedMs: number,
  ): Promise<FrameOutcome> {
    const startMs = clock.now();
    const decision = core.offer(alias, capturedMs, startMs);
    if (!decision.admitted) return { status: "dropped", reason: decision.reason };
    const { frame } = decision;
    const key = `${alias}/${frame}`;
    try {
      const tensor = typeof produce === "function" ? await produce() : produce;
      const producedMs = clock.now();
      const slices = encoder.encode(tensor, mode === "datagram" ? core.maxPayloadBytes : streamSliceBytes);
      const encodedMs = clock.now();
      const outcome = new Promise<FrameOutcome>((resolve) => {
        frames.set(key, { produceMs: producedMs - startMs, encodeMs: encodedMs - producedMs, resolve });
      });
      const split: OutgoingFrame["split"] = ({ index, count }, maxPayloadBytes) =>
        encoder.split(tensor, index, count, maxPayloadBytes);
      if (!core.submit(alias, frame, slices, split, encodedMs)) {
        // It ended while it was produced, and its event has passed.
        frames.delete(key);
        return { status: "expired", reason: core.state === "closed" ? "closed" : "no-result" };
      }
      driver.pump();
      return await outcome;
    } catch (error) {
      frames.delete(key);
      core.abandon(alias, frame);
      driver.pump();
      throw error;
    }
  }

  const client: Client = {
    openStream,
    get limits() {
      return core.limits!;
    },
    figures: () => core.figures,
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
