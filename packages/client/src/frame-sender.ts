/** The way of a frame through a client: gate, production, encoding, and the wait for how it ends. */
import type { TensorEncoder } from "@sluice/codec";
import {
  type ClientEvent,
  type ClientSession,
  createFrameTable,
  type DeliveryMode,
  ErrorCode,
  type OutgoingFrame,
  type ResultFormat,
  type SessionObserver,
} from "@sluice/protocol";
import type { Clock } from "@sluice/transport/core";
import type { ProduceTensor } from "./client-api.js";
import { describeDelivery } from "./delivered-frame.js";
import type { FrameOutcome } from "./frame-outcome.js";
import type { AnswerReader } from "./read-answer.js";

export interface FrameSender {
  /** See `TensorStream.send`. */
  send(stream: SendingStream, produce: ProduceTensor, capturedMs: number): Promise<FrameOutcome>;
  /** A result has come. */
  deliver(event: Extract<ClientEvent, { type: "delivered" }>): void;
  expire(event: Extract<ClientEvent, { type: "expired" }>): void;
}

export interface SendingStream {
  readonly alias: number;
  readonly mode: DeliveryMode;
  readonly encoder: TensorEncoder;
  /** How the payloads of its results are written. */
  readonly resultFormat: ResultFormat;
  readonly readAnswer: AnswerReader;
}

/** Slices of tensors on streams of their own: large, but small enough to be used when a stream is reset. */
const streamSliceBytes = 16_384;

interface PendingFrame extends Pick<SendingStream, "resultFormat" | "readAnswer"> {
  readonly produceMs: number;
  readonly encodeMs: number;
  resolve(outcome: FrameOutcome): void;
  /** So many of its slices have come and nothing was concealed: if these are all, the encoder may predict from it. */
  acknowledge(sliceCount: number): void;
}

/** What it needs of a session's core. */
export type SendingCore = Pick<
  ClientSession,
  "state" | "maxPayloadBytes" | "offer" | "submit" | "abandon" | "handleClosed"
>;

export function createFrameSender(
  core: SendingCore,
  clock: Clock,
  pump: () => void,
  observe?: SessionObserver,
): FrameSender {
  const pendingFrames = createFrameTable<PendingFrame>();

  function settle(stream: number, frame: number, outcome: (pending: PendingFrame) => FrameOutcome): void {
    const pending = pendingFrames.take(stream, frame);
    pending?.resolve(outcome(pending));
  }

  return {
    async send({ alias, mode, encoder, resultFormat, readAnswer }, produce, capturedMs) {
      const startMs = clock.now();
      const decision = core.offer(alias, capturedMs, startMs);
      if (!decision.admitted) return { status: "dropped", reason: decision.reason };
      const { frame, budgetBytes } = decision;
      try {
        const tensor = typeof produce === "function" ? await produce({ bytes: budgetBytes }) : produce;
        const producedMs = clock.now();
        const isOnStream = mode !== "datagram";
        const maxPayloadBytes = isOnStream ? streamSliceBytes : core.maxPayloadBytes(alias);
        // For a stream of its own the payloads are put together before `submit` returns.
        const encoded = encoder.encode(tensor, maxPayloadBytes, {
          frame,
          budgetBytes,
          mayBorrow: isOnStream,
        });
        const encodedMs = clock.now();
        const produceMs = producedMs - startMs;
        const encodeMs = encodedMs - producedMs;
        const { slices } = encoded;
        observe?.({ name: "tensor_encoded", stream: alias, frame, slices, produceMs, encodeMs });
        let sliceCount = slices.length;
        const outcome = new Promise<FrameOutcome>((resolve) => {
          pendingFrames.set(alias, frame, {
            resultFormat,
            readAnswer,
            produceMs,
            encodeMs,
            resolve,
            acknowledge(received) {
              if (received >= sliceCount) encoder.acknowledge?.(frame);
            },
          });
        });
        const split: OutgoingFrame["split"] = (slice, most) => {
          const parts = encoded.split(slice, most);
          sliceCount += parts.length - 1;
          return parts;
        };
        if (!core.submit(alias, frame, slices, split, encodedMs)) {
          // It ended while it was produced, and its event has passed.
          pendingFrames.take(alias, frame);
          return { status: "expired", reason: core.state === "closed" ? "closed" : "no-result" };
        }
        pump();
        return await outcome;
      } catch (error) {
        pendingFrames.take(alias, frame);
        core.abandon(alias, frame);
        pump();
        throw error;
      }
    },

    deliver(event) {
      const { frame, result } = event;
      settle(frame.stream, frame.frame, (pending) => {
        let answer: unknown;
        try {
          if (result.payload.length > 0) answer = pending.readAnswer(result.payload, pending.resultFormat);
        } catch {
          // spec 7.2
          const reason = `result: its payload is not what was agreed on (${pending.resultFormat})`;
          core.handleClosed(ErrorCode.protocolViolation, reason);
        }
        if (result.concealedElements === 0)
          pending.acknowledge(result.slicesReceived + result.slicesRecovered);
        return describeDelivery(event, answer, pending);
      });
    },

    expire({ frame, reason }) {
      settle(frame.stream, frame.frame, () => ({ status: "expired", reason }));
    },
  };
}
