/**
 * The slices of a session's frames on their way into datagrams: what waits, what is sent again, the repair symbols that
 * follow, and the datagrams' numbers.
 */
import type { sluice } from "@sluice/proto";
import type { ClientPath } from "./client-path.js";
import type { ClientStream } from "./client-streams.js";
import type { SentSlice } from "./fec/fec-sender.js";
import { createParityLane, type EndedFrame } from "./fec/parity-lane.js";
import { latestParityMs, mayRetransmit } from "./fec/retransmission-estimate.js";
import { createRepairer } from "./repairer.js";
import { bytesOf, createSendBuffer, type OutgoingFrame, type OutgoingSlice } from "./send-buffer.js";
import type { SessionObserver } from "./session-event.js";

export interface SliceSender {
  /** A stream was opened with forward error correction of this text form; empty for none. */
  open(stream: number, fec: string): void;
  /** False where there is no room. */
  push(frame: OutgoingFrame, nowMs: number): boolean;
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
  /** Bytes of a datagram that slices of this stream leave free. */
  reserveBytes(stream: number): number;
  /** Payload bytes that wait. */
  readonly bytes: number;
  readonly slicesRepeated: number;
  readonly repairsSent: number;
}

/** What leaves so long before the last moment is still in time where a timer is late. */
const copyMarginMs = 5;

export function createSliceSender(
  path: ClientPath,
  streamOf: (stream: number) => ClientStream | undefined,
  /** The first slice of a frame has left. */
  onLeft: (frame: OutgoingFrame, nowMs: number) => void,
  observe?: SessionObserver,
): SliceSender {
  const waiting = createSendBuffer();
  /** What is sent again goes first: it has waited for a round trip. */
  const repairs = createSendBuffer();
  const parity = createParityLane();
  const repairer = createRepairer();
  /** While the path is dark nothing is sent again: a sign of life wakes the repairs, not their timer. */
  let holdsRepairs = false;
  let nextSequence = 0;

  /** Of repair symbols `isRepeat` says nothing. */
  const observeSlice =
    observe &&
    ((of: OutgoingFrame, slice: OutgoingSlice, isRepeat: boolean) =>
      observe({ name: "slice_sent", of, slice, sequence: nextSequence, isRepeat }));
  const isPressed = () => waiting.bytes + repairs.bytes > 0;
  /** Before something waits to be sent. */
  const resume = (nowMs: number) => {
    if (!isPressed() && parity.bytes === 0) path.resume(nowMs);
  };
  const pace = (nowMs: number) => ({ nowMs, bitsPerSecond: path.pacingBitsPerSecond });

  /** The way of a frame's answer, for what may still be in time. */
  function answerPath({ capturedMs }: OutgoingFrame, stream: ClientStream, nowMs: number) {
    const { times, options } = stream;
    const queueMs = path.queueMs(nowMs);
    const serverLatencyMs = times.serverMs;
    return { capturedMs, deadlineMs: options.deadlineMs, ...path.patience, serverLatencyMs, queueMs };
  }

  /** spec 5.9: whether what is lost of a protected frame that is handed over now will be sent again in time. */
  function protection(frame: OutgoingFrame, nowMs: number): Partial<OutgoingFrame> {
    const stream = streamOf(frame.stream);
    if (!stream || !parity.protects(frame.stream)) return {};
    const reserveBytes = parity.reserveBytes(frame.stream);
    if (stream.options.minReceivedPercent === 0) return { reserveBytes };
    const aheadBytes = path.unreceivedBytes + waiting.bytes + bytesOf(frame.slices);
    const leavesMs = nowMs + (aheadBytes * 8_000) / path.pacingBitsPerSecond;
    const conditions = { ...answerPath(frame, stream, nowMs), nowMs: leavesMs };
    if (!mayRetransmit(conditions)) return { reserveBytes };
    // Bursts end: the later a copy leaves, the less it shares the fate of the first.
    return { reserveBytes, isRetransmitted: true, copyAtMs: latestParityMs(conditions) - copyMarginMs };
  }

  // Of the datagram that is filled: kept here, so that nothing is made for each that no repair symbol follows.
  let isFirst = true;
  let filledMs = 0;
  let sent: SentSlice[] = [];
  let ended: EndedFrame[] = [];

  function onSlice(frame: OutgoingFrame, slice: OutgoingSlice, isLast: boolean): void {
    const stream = streamOf(frame.stream);
    const isProtected = parity.protects(frame.stream);
    // Either lost slices are sent again, or repair symbols make up for them.
    const isRepeated = !isProtected || frame.isRetransmitted === true;
    const minReceived = isRepeated ? (stream?.options.minReceivedPercent ?? 0) / 100 : 0;
    repairer.sent(nextSequence, frame, slice, minReceived, filledMs);
    if (isFirst && slice.index === 0) onLeft(frame, filledMs);
    observeSlice?.(frame, slice, !isFirst);
    if (!isFirst || !isProtected || !stream) return;
    sent.push({ frame, slice });
    if (isLast) ended.push({ frame, latestMs: latestParityMs(answerPath(frame, stream, filledMs)) });
  }

  function fillFrom(datagram: Uint8Array, offset: number, nowMs: number): number {
    isFirst = repairs.bytes === 0;
    filledMs = nowMs;
    const from = isFirst ? waiting : repairs;
    const end = from.fill(datagram, offset, datagram.length, nextSequence, nowMs, onSlice);
    if (sent.length > 0) followWithParity(datagram.subarray(0, end), nowMs);
    return end;
  }

  function followWithParity(bytes: Uint8Array, nowMs: number): void {
    const [slices, frames] = [sent, ended];
    sent = [];
    ended = [];
    const made = parity.sent({ sequence: nextSequence, bytes, slices }, frames, pace(nowMs));
    for (const { frame } of frames) expectParity(frame.stream, made);
    charge(made, nowMs);
  }

  function charge(frames: readonly OutgoingFrame[], nowMs: number): void {
    for (const { slices } of frames) path.charge(bytesOf(slices), nowMs);
  }

  /** A frame has ended that these symbols follow: so it goes on. */
  function expectParity(alias: number, made: readonly OutgoingFrame[]): void {
    const stream = streamOf(alias);
    if (!stream) return;
    const own = made.filter((each) => each.stream === alias);
    const bytes = own.reduce((sum, { slices }) => sum + bytesOf(slices), 0);
    stream.parityBytes += (bytes - stream.parityBytes) / 8;
  }

  return {
    open: parity.open,
    push(frame, nowMs) {
      resume(nowMs);
      return waiting.push({ ...frame, ...protection(frame, nowMs) });
    },
    drop(stream) {
      parity.close(stream);
      return waiting.drop(stream);
    },
    forget(stream, frame) {
      repairer.forget(stream, frame);
      parity.forget(stream, frame);
    },
    shed(nowMs, maxDatagramBytes) {
      const shed = waiting.shed(nowMs, maxDatagramBytes);
      for (const { stream, frame } of repairs.shed(nowMs, maxDatagramBytes)) repairer.forget(stream, frame);
      parity.shed(nowMs, maxDatagramBytes);
      return shed;
    },
    repair(nowMs) {
      if (parity.nextTimeoutMs() <= nowMs) charge(parity.poll(pace(nowMs)), nowMs);
      holdsRepairs = path.isDark(nowMs);
      if (holdsRepairs) return;
      const { patience } = path;
      for (let lost = repairer.poll(patience, nowMs); lost; lost = repairer.poll(patience, nowMs)) {
        resume(nowMs);
        if (repairs.push(lost)) path.charge(bytesOf(lost.slices), nowMs);
      }
    },
    handleReport(report, nowMs) {
      repairer.handleReport(report, nowMs);
      parity.handleReport(report);
    },
    maySend(nowMs) {
      const isReady = isPressed() || parity.readyAtMs(false) <= nowMs;
      return isReady && path.maySendSlices(nowMs);
    },
    fill(datagram, offset, nowMs) {
      const isParity = repairs.bytes === 0 && parity.readyAtMs(isPressed()) <= nowMs;
      const end = isParity
        ? parity.fill(datagram, offset, datagram.length, nextSequence, nowMs, observeSlice)
        : fillFrom(datagram, offset, nowMs);
      if (end > offset) path.sent(nextSequence++, end, nowMs);
      return end;
    },
    nextTimeoutMs(maxDatagramBytes) {
      const readyMs = isPressed() ? Number.NEGATIVE_INFINITY : parity.readyAtMs(false);
      const hasSlices = isPressed() || parity.bytes > 0;
      return Math.min(
        hasSlices && maxDatagramBytes > 0 ? Math.max(readyMs, path.nextSliceMs()) : Number.POSITIVE_INFINITY,
        waiting.nextTimeoutMs(),
        repairs.nextTimeoutMs(),
        parity.nextTimeoutMs(),
        holdsRepairs ? Number.POSITIVE_INFINITY : repairer.nextTimeoutMs(path.patience),
      );
    },
    reserveBytes: parity.reserveBytes,
    get bytes() {
      return waiting.bytes + repairs.bytes + parity.bytes;
    },
    get slicesRepeated() {
      return repairer.slicesRepeated;
    },
    get repairsSent() {
      return parity.symbolsSent;
    },
  };
}
