/** The slices of a session's frames on their way into datagrams: what waits, what is sent again, and their numbers. */
import type { sluice } from "@sluice/proto";
import type { ClientPath } from "./client-path.js";
import { createRepairer } from "./repairer.js";
import { bytesOf, createSendBuffer, type OutgoingFrame, type OutgoingSlice } from "./send-buffer.js";

export interface SliceSender {
  /** False where there is no room. */
  push(frame: OutgoingFrame): boolean;
  /** Gives up the frames of a stream that wait. */
  drop(stream: number): readonly OutgoingFrame[];
  /** The frame has ended: nothing of it is sent again. */
  forget(stream: number, frame: number): void;
  /** Takes out what waited too long or fits no datagram. */
  shed(nowMs: number, maxDatagramBytes: number): readonly OutgoingFrame[];
  /** Puts the lost slices that are worth it in front of everything else. */
  repair(nowMs: number): void;
  handleReport(report: sluice.v1.Feedback, nowMs: number): void;
  maySend(nowMs: number): boolean;
  /** Fills a datagram from `offset` on and returns its end. */
  fill(datagram: Uint8Array, offset: number, nowMs: number): number;
  nextTimeoutMs(maxDatagramBytes: number): number;
  /** Payload bytes that wait. */
  readonly bytes: number;
  readonly slicesRepeated: number;
}

/** `minReceivedOf`: share of a stream's frames that is to come, 0 to 1 (spec 5.9). */
export function createSliceSender(path: ClientPath, minReceivedOf: (stream: number) => number): SliceSender {
  const waiting = createSendBuffer();
  /** What is sent again goes first: it has waited for a round trip. */
  const repairs = createSendBuffer();
  const repairer = createRepairer();
  /** While the path is dark nothing is sent again: a sign of life wakes the repairs, not their timer. */
  let holdsRepairs = false;
  let nextSequence = 0;

  return {
    push: waiting.push,
    drop: waiting.drop,
    forget: repairer.forget,
    shed(nowMs, maxDatagramBytes) {
      const shed = waiting.shed(nowMs, maxDatagramBytes);
      for (const { stream, frame } of repairs.shed(nowMs, maxDatagramBytes)) repairer.forget(stream, frame);
      return shed;
    },
    repair(nowMs) {
      holdsRepairs = path.isDark(nowMs);
      if (holdsRepairs) return;
      const { patience } = path;
      for (let lost = repairer.poll(patience, nowMs); lost; lost = repairer.poll(patience, nowMs)) {
        if (repairs.push(lost)) path.charge(bytesOf(lost.slices), nowMs);
      }
    },
    handleReport: repairer.handleReport,
    maySend: (nowMs) => waiting.bytes + repairs.bytes > 0 && path.maySendSlices(nowMs),
    fill(datagram, offset, nowMs) {
      const sequence = nextSequence;
      const onSlice = (frame: OutgoingFrame, slice: OutgoingSlice) =>
        repairer.sent(sequence, frame, slice, minReceivedOf(frame.stream), nowMs);
      const from = repairs.bytes > 0 ? repairs : waiting;
      const end = from.fill(datagram, offset, datagram.length, sequence, nowMs, onSlice);
      if (end > offset) path.sent(nextSequence++, end, nowMs);
      return end;
    },
    nextTimeoutMs(maxDatagramBytes) {
      const hasSlices = waiting.bytes + repairs.bytes > 0 && maxDatagramBytes > 0;
      return Math.min(
        hasSlices ? path.nextSliceMs() : Number.POSITIVE_INFINITY,
        waiting.nextTimeoutMs(),
        repairs.nextTimeoutMs(),
        holdsRepairs ? Number.POSITIVE_INFINITY : repairer.nextTimeoutMs(path.patience),
      );
    },
    get bytes() {
      return waiting.bytes + repairs.bytes;
    },
    get slicesRepeated() {
      return repairer.slicesRepeated;
    },
  };
}
