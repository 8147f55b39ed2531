/** The way of a server's results to the client: in datagrams, repeated, or on the control stream (spec 7.1). */
import type { sluice } from "@sluice/proto";
import { encodeControlItem, itemOverhead } from "./datagram.js";
import { ErrorCode } from "./error-code.js";
import type { ReceivedFrame } from "./reassembly.js";
import { createResultOutbox } from "./result-outbox.js";
import type { FrameAnswer } from "./server-api.js";
import { stageTimesToWire } from "./stage-times.js";
import type { TensorStreamOptions } from "./tensor-stream.js";
import { createUnconfirmedResults } from "./unconfirmed-results.js";

export interface ResultSender {
  /** `maxDatagramBytes`: 0 where there are no datagrams; `options`: of the frame's stream, unless it is closed. */
  push(
    frame: ReceivedFrame,
    answer: FrameAnswer,
    way: { readonly options: TensorStreamOptions | undefined; readonly maxDatagramBytes: number },
    nowMs: number,
  ): void;
  acknowledge(stream: number, frames: readonly number[], nowMs: number): void;
  /** See `ResultOutbox.setPathLoss`. */
  setPathLoss(share: number): void;
  /** Sends the reliable way what no datagram of this size takes, or takes any more. */
  sayLarge(maxDatagramBytes: number): void;
  /** Fills a datagram from `offset` on with results that are due and returns its end. */
  fill(datagram: Uint8Array, offset: number, rttMs: number, nowMs: number): number;
  clear(): void;
  nextTimeoutMs(): number;
  /** Results that are not acknowledged. */
  readonly size: number;
  readonly waiting: number;
  readonly repeated: number;
}

const wireOutcomes = { done: 1, expired: 2, undecodable: 3, failed: 4 } as const;

/** `say`: sends a result on the control stream. */
export function createResultSender(say: (result: sluice.v1.Result.$Properties) => void): ResultSender {
  const outbox = createResultOutbox();
  const unconfirmed = createUnconfirmedResults();

  function sayResult(body: sluice.v1.Result.$Properties): void {
    say(body);
    unconfirmed.add(body.stream ?? 0, body.frame ?? 0);
  }

  return {
    push(frame, answer, { options, maxDatagramBytes }, nowMs) {
      const result = toWire(frame, answer);
      const deadlineMs = options?.deadlineMs ?? 0;
      if (maxDatagramBytes === 0 || options?.mode === "reliable") sayResult(result);
      else {
        // spec 7.1: whoever sends in excess is told once, or it would cost more than what it is told of.
        const isExcess = answer.code === ErrorCode.rateLimited;
        const uselessAtMs = isExcess ? nowMs : frame.capturedMs + 2 * deadlineMs;
        const times = { inTimeUntilMs: frame.expiresAtMs, uselessAtMs };
        outbox.push(result, times, nowMs);
      }
    },
    acknowledge(stream, frames, nowMs) {
      outbox.acknowledge(stream, frames, nowMs);
      unconfirmed.acknowledge(stream, frames);
    },
    setPathLoss: outbox.setPathLoss,
    sayLarge(maxDatagramBytes) {
      const maxBytes = maxDatagramBytes - itemOverhead;
      for (let large = outbox.takeLarger(maxBytes); large; large = outbox.takeLarger(maxBytes))
        sayResult(large);
    },
    fill(datagram, offset, rttMs, nowMs) {
      let end = offset;
      for (;;) {
        const room = datagram.length - end - itemOverhead;
        const result = room > 0 ? outbox.take(room, rttMs, nowMs) : undefined;
        if (!result) return end;
        end = encodeControlItem(datagram, end, result);
      }
    },
    clear: outbox.clear,
    nextTimeoutMs: outbox.nextTimeoutMs,
    get size() {
      return outbox.size + unconfirmed.size;
    },
    get waiting() {
      return outbox.size;
    },
    get repeated() {
      return outbox.repeated;
    },
  };
}

function toWire(frame: ReceivedFrame, answer: FrameAnswer): sluice.v1.Result.$Properties {
  return {
    stream: frame.stream,
    frame: frame.frame,
    outcome: wireOutcomes[answer.outcome],
    stages: stageTimesToWire(answer.stages, frame.lastArrivalMs - frame.firstArrivalMs),
    concealedElements: answer.concealedElements,
    elements: answer.elements,
    slicesReceived: frame.slices.length - frame.slicesRecovered,
    slicesRecovered: frame.slicesRecovered,
    code: answer.code ?? 0,
    payload: answer.payload,
  };
}
