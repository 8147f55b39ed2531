/** The client's way of repair symbols: what is made of the frames that have left, and when it follows them (spec 5.8). */
import type { sluice } from "@sluice/proto";
import { createSendBuffer, type OutgoingFrame, type SendBuffer } from "../send-buffer.js";
import { parseFec } from "./fec-options.js";
import { createFecSender, fecReserveBytes, type SentSlice } from "./fec-sender.js";
import { createLossEstimator } from "./loss-estimator.js";
import { reedSolomon } from "./reed-solomon.js";

export interface ParityLane extends Pick<SendBuffer, "fill" | "bytes"> {
  /** A stream was opened; an empty text protects nothing. */
  open(stream: number, text: string): void;
  close(stream: number): void;
  protects(stream: number): boolean;
  /** Bytes that datagrams with slices of the stream leave free. */
  reserveBytes(stream: number): number;
  handleReport(report: sluice.v1.Feedback): void;
  /**
   * A datagram has left with these slices; `ended` are the frames that have left wholly with it. Returns the symbols that
   * wait now because of it.
   */
  sent(datagram: SentDatagram, ended: readonly EndedFrame[], pace: Pace): OutgoingFrame[];
  /** A frame was given up: it needs no symbols. */
  forget(stream: number, frame: number): void;
  /** Symbols of groups that wait for no more frames. */
  poll(pace: Pace): OutgoingFrame[];
  /** Gives up symbols that are late or fit no datagram any more. */
  shed(nowMs: number, maxBytes: number): void;
  /** When the next symbol may leave; Infinity where there is none. `isPressed`: slices wait behind it. */
  readyAtMs(isPressed: boolean): number;
  /** When {@link poll} or {@link shed} has something to do. */
  nextTimeoutMs(): number;
  readonly symbolsSent: number;
}

export interface SentDatagram {
  readonly sequence: number;
  readonly bytes: Uint8Array;
  readonly slices: readonly SentSlice[];
}

export interface EndedFrame {
  readonly frame: OutgoingFrame;
  /** When its symbols must have left. */
  readonly latestMs: number;
}

export interface Pace {
  readonly nowMs: number;
  readonly bitsPerSecond: number;
}

/** Runs of losses below this are single ones: spreading symbols out would only delay them. */
const minBurst = 1.5;

export function createParityLane(): ParityLane {
  const sender = createFecSender(reedSolomon);
  const estimator = createLossEstimator();
  const buffer = createSendBuffer();
  let symbolsSent = 0;
  let gapMs = 0;
  let readyAtMs = Number.NEGATIVE_INFINITY;

  /** Symbols follow at the distance of a burst, so that one takes few of them, as far as there is time. */
  function push(
    parity: OutgoingFrame | undefined,
    latestMs: number,
    { nowMs, bitsPerSecond }: Pace,
  ): boolean {
    if (!parity || !buffer.push(parity)) return false;
    const [symbol] = parity.slices;
    const { meanRun } = estimator.loss;
    const burstMs = (meanRun * symbol!.payload.length * 8_000) / bitsPerSecond;
    const spareMs = Math.max(0, latestMs - nowMs) / parity.slices.length;
    gapMs = meanRun < minBurst ? 0 : Math.min(burstMs, spareMs);
    readyAtMs = nowMs;
    return true;
  }

  return {
    open(stream, text) {
      const options = parseFec(text);
      if (options) sender.open(stream, options);
    },
    close(stream) {
      sender.close(stream);
      buffer.drop(stream);
    },
    protects: sender.protects,
    reserveBytes: (stream) => (sender.protects(stream) ? fecReserveBytes : 0),
    handleReport: estimator.handleReport,

    sent({ sequence, bytes, slices }, ended, pace) {
      sender.sent(sequence, bytes, slices);
      return ended.flatMap(({ frame, latestMs }) => {
        const need = { isWanted: frame.isRetransmitted !== true, latestMs };
        const parity = sender.end(frame, need, estimator.loss, pace.nowMs);
        return push(parity, latestMs, pace) ? [parity!] : [];
      });
    },

    forget: sender.forget,

    poll(pace) {
      const made: OutgoingFrame[] = [];
      for (let next = sender.poll(estimator.loss, pace.nowMs); next; ) {
        if (push(next, pace.nowMs, pace)) made.push(next);
        next = sender.poll(estimator.loss, pace.nowMs);
      }
      return made;
    },

    shed: (nowMs, maxBytes) => void buffer.shed(nowMs, maxBytes),

    fill(dst, offset, maxBytes, sequence, nowMs, onSlice) {
      const end = buffer.fill(dst, offset, maxBytes, sequence, nowMs, (frame, slice, isLast) => {
        symbolsSent++;
        onSlice?.(frame, slice, isLast);
      });
      readyAtMs = nowMs + gapMs;
      return end;
    },

    readyAtMs(isPressed) {
      if (buffer.bytes === 0) return Number.POSITIVE_INFINITY;
      // What comes behind would overtake them.
      return isPressed ? Number.NEGATIVE_INFINITY : readyAtMs;
    },
    nextTimeoutMs: () => Math.min(sender.nextTimeoutMs(), buffer.nextTimeoutMs()),
    get bytes() {
      return buffer.bytes;
    },
    get symbolsSent() {
      return symbolsSent;
    },
  };
}
