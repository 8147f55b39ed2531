/**
 * The way of a server's results to the client: in datagrams, repeated, on the control stream, or each on a QUIC stream of its own
 * (spec 7.1, 7.4).
 */
import type { sluice } from "@sluice/proto";
import { encodeControlItem, itemOverhead } from "./datagram.js";
import { ErrorCode } from "./error-code.js";
import { maxResultPayloadBytes } from "./limits.js";
import { createOutgoingResults, type ResultUpload, type UploadTimes } from "./outgoing-results.js";
import type { ReceivedFrame } from "./reassembly.js";
import { createResultOutbox, type ResultTimes } from "./result-outbox.js";
import type { FrameAnswer, UploadFigures } from "./server-api.js";
import { stageTimesToWire } from "./stage-times.js";
import type { TensorStreamOptions } from "./tensor-stream.js";
import { createUnconfirmedResults } from "./unconfirmed-results.js";

export interface ResultSender {
  /** @returns what the client is told: an answer that cannot be sent becomes another one */
  push(frame: ReceivedFrame, answer: FrameAnswer, way: ResultWay, nowMs: number): FrameAnswer;
  acknowledge(stream: number, frames: readonly number[], rttMs: number, nowMs: number): void;
  /** The next result for a QUIC stream of its own. */
  pollUpload(): ResultUpload | undefined;
  /** The client does not want the result that comes on such a stream. */
  uploadStopped(stream: number, frame: number, rttMs: number, nowMs: number): void;
  /** Gives up what would come too late on such streams: their frames are answered without. */
  expireUploads(maxDatagramBytes: number, rttMs: number, nowMs: number): void;
  /** See `ResultLosses.setPathLoss`. */
  setPathLoss(share: number): void;
  /** Sends the reliable way what no datagram of this size takes, or takes any more. */
  sayLarge(maxDatagramBytes: number): void;
  /** Fills a datagram from `offset` on with results that are due and returns its end. */
  fill(datagram: Uint8Array, offset: number, rttMs: number, nowMs: number): number;
  clear(): void;
  /** When the next result for a datagram is due; Infinity where none waits. */
  nextDatagramMs(): number;
  nextTimeoutMs(): number;
  /** The same of those on QUIC streams of their own alone. */
  nextUploadMs(): number;
  /** Results that are not acknowledged. */
  readonly size: number;
  readonly waiting: number;
  readonly repeated: number;
  readonly uploads: UploadFigures;
}

export interface ResultWay {
  /** Of the frame's stream, unless it is closed. */
  readonly options: TensorStreamOptions | undefined;
  /** 0 where there are no datagrams. */
  readonly maxDatagramBytes: number;
}

/** Where the results on streams of their own end. */
export interface UploadEnds {
  /** The stream needs no more care; `resetCode`: it is to be reset with it. */
  ended(stream: number, frame: number, resetCode: number | undefined): void;
}

const wireOutcomes = { done: 1, expired: 2, undecodable: 3, failed: 4 } as const;

/** What is longer would hold up the control stream, and could not be given up there. */
const uploadAboveBytes = 16_384;
/** The client gathers acknowledgements: that of a result which came in time is back by then (spec 7.4). */
const acknowledgementDelayMs = 15;
/** As reports are gathered, with which these answers travel. */
const excessGatherMs = 10;

/** `say`: sends a result on the control stream. */
export function createResultSender(
  say: (result: sluice.v1.Result.$Properties) => void,
  uploadEnds: UploadEnds,
): ResultSender {
  const outbox = createResultOutbox();
  const unconfirmed = createUnconfirmedResults();
  const uploads = createOutgoingResults<ResultTimes & UploadTimes>();
  const counts = { started: 0, bytes: 0, expired: 0, late: 0, refused: 0, stopped: 0 };

  /** `maxDatagramBytes`: 0 where no datagram is to take it. */
  function pushSmall(
    result: sluice.v1.Result.$Properties,
    times: ResultTimes,
    maxDatagramBytes: number,
    nowMs: number,
  ): void {
    if (maxDatagramBytes === 0) sayResult(result);
    else outbox.push(result, times, nowMs);
  }

  function sayResult(body: sluice.v1.Result.$Properties): void {
    say(body);
    unconfirmed.add(body.stream ?? 0, body.frame ?? 0);
  }

  return {
    push(frame, given, { options, maxDatagramBytes }, nowMs) {
      const isReliable = options?.mode === "reliable";
      const deadlineMs = options?.deadlineMs ?? 0;
      const times = isExcess(given) ? excessTimes(nowMs) : timesOf(frame, deadlineMs);
      let answer = given;
      if (goesOnStream(given.payload.length, options)) {
        const resetAtMs = frame.capturedMs + deadlineMs + acknowledgementDelayMs;
        const never = Number.POSITIVE_INFINITY;
        const useful = isReliable ? { inTimeUntilMs: never, resetAtMs: never } : { resetAtMs };
        const receipt = uploads.push(toWire(frame, given), { ...times, ...useful }, nowMs);
        if (receipt === "taken") return given;
        counts[receipt === "full" ? "refused" : "late"]++;
        const code = receipt === "full" ? ErrorCode.overloaded : ErrorCode.expiredInSending;
        answer = without(given, "expired", code);
      } else if (given.payload.length > maxResultPayloadBytes) {
        answer = options
          ? without(given, "failed", ErrorCode.limitExceeded)
          : without(given, "expired", ErrorCode.unknownStream);
      }
      pushSmall(toWire(frame, answer), times, isReliable ? 0 : maxDatagramBytes, nowMs);
      return answer;
    },
    acknowledge(stream, frames, rttMs, nowMs) {
      outbox.acknowledge(stream, frames, nowMs);
      unconfirmed.acknowledge(stream, frames);
      if (uploads.size === 0) return;
      for (const frame of frames)
        if (uploads.end(stream, frame, true, rttMs, nowMs)) uploadEnds.ended(stream, frame, undefined);
    },
    pollUpload() {
      const upload = uploads.poll();
      if (!upload) return undefined;
      counts.started++;
      counts.bytes += upload.bytes.length;
      return upload;
    },
    uploadStopped(stream, frame, rttMs, nowMs) {
      if (uploads.end(stream, frame, false, rttMs, nowMs)) counts.stopped++;
    },
    expireUploads(maxDatagramBytes, rttMs, nowMs) {
      for (let late = uploads.expire(rttMs, nowMs); late; late = uploads.expire(rttMs, nowMs)) {
        counts.expired++;
        uploadEnds.ended(late.result.stream ?? 0, late.result.frame ?? 0, ErrorCode.deadline);
        const code = ErrorCode.expiredInSending;
        pushSmall({ ...late.result, outcome: wireOutcomes.expired, code }, late.way, maxDatagramBytes, nowMs);
      }
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
    clear() {
      outbox.clear();
      uploads.clear();
    },
    nextDatagramMs: outbox.nextTimeoutMs,
    nextTimeoutMs: () => Math.min(outbox.nextTimeoutMs(), uploads.nextTimeoutMs()),
    nextUploadMs: uploads.nextTimeoutMs,
    get size() {
      return outbox.size + unconfirmed.size + uploads.size;
    },
    get waiting() {
      return outbox.size;
    },
    get repeated() {
      return outbox.repeated;
    },
    get uploads() {
      return { ...counts };
    },
  };
}

const isExcess = ({ code }: FrameAnswer) => code === ErrorCode.rateLimited;

/** spec 7.1: whoever sends in excess is told once, and of many frames together, or it would cost more than what it is told of. */
const excessTimes = (nowMs: number): ResultTimes => ({
  inTimeUntilMs: nowMs,
  uselessAtMs: nowMs,
  gatherUntilMs: nowMs + excessGatherMs,
});

const timesOf = ({ capturedMs, expiresAtMs }: ReceivedFrame, deadlineMs: number): ResultTimes => ({
  inTimeUntilMs: expiresAtMs,
  uselessAtMs: capturedMs + 2 * deadlineMs,
});

/** Whether a payload goes on a QUIC stream of its own: where the client takes it there, and a message is not better. */
function goesOnStream(payloadBytes: number, options: TensorStreamOptions | undefined): boolean {
  return payloadBytes > uploadAboveBytes && payloadBytes <= (options?.maxResultBytes ?? 0);
}

/** An answer that cannot be sent as it is. */
function without(answer: FrameAnswer, outcome: FrameAnswer["outcome"], code: number): FrameAnswer {
  return { ...answer, outcome, code, payload: new Uint8Array(0) };
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
