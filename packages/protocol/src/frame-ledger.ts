/**
 * Every frame that was offered, until its end is known: offered = dropped + expired + delivered, always (spec 3.2).
 */
import type { GateReason } from "./frame-gate.js";
import { createFrameTable } from "./frame-table.js";

/** Why a frame was turned away before any work was done on it. */
export type DropReason = GateReason | "not-open";

/** Why an admitted frame has no result. */
export type ExpiryReason =
  /** The application gave it up, or its half failed. */
  | "abandoned"
  /** It waited in the send buffer until sending was of no use. */
  | "send-queue"
  /** The send buffer was full, or the path takes no datagram that is large enough. */
  | "send-buffer"
  /** Its slices have more bytes together than the server allows. */
  | "too-large"
  /** Nothing was heard of it. */
  | "no-result"
  /** The server shed it: it could not have been in time. */
  | "server-expired"
  /** Too little of it arrived. */
  | "undecodable"
  /** The server's half failed on it. */
  | "failed"
  /** The session ended. */
  | "closed";

export interface LedgerFrame {
  readonly stream: number;
  readonly frame: number;
  readonly capturedMs: number;
  readonly admittedMs: number;
  readonly deadlineMs: number;
  /** When waiting for a result ends. */
  readonly givenUpAtMs: number;
  /** How large a payload its result may bring on a QUIC stream of its own, in bytes. */
  readonly maxResultBytes: number;
  /** Bytes that it was expected to take. */
  readonly expectedBytes: number;
  /** Bytes of its slices; 0 until it was submitted. */
  payloadBytes: number;
  /** When its slices were handed over, and how long the first of them waited to leave; 0 before, and on streams. */
  submittedMs: number;
  sendQueueMs: number;
}

export interface LedgerCounts {
  readonly offered: number;
  readonly admitted: number;
  readonly dropped: number;
  readonly expired: number;
  readonly delivered: number;
  readonly onTime: number;
  readonly dropReasons: Readonly<Partial<Record<DropReason, number>>>;
  readonly expiryReasons: Readonly<Partial<Record<ExpiryReason, number>>>;
}

export interface FrameLedger {
  drop(reason: DropReason): void;
  admit(frame: LedgerFrame): void;
  find(stream: number, frame: number): LedgerFrame | undefined;
  /** Ends a frame; `undefined` where it has ended before. */
  expire(stream: number, frame: number, reason: ExpiryReason): LedgerFrame | undefined;
  deliver(stream: number, frame: number, onTime: boolean): LedgerFrame | undefined;
  /** The oldest frame that is given up by `nowMs`. */
  overdue(nowMs: number): LedgerFrame | undefined;
  nextTimeoutMs(): number;
  /** The oldest first; valid until one is admitted or ends. */
  open(): readonly LedgerFrame[];
  readonly inFlight: number;
  readonly counts: LedgerCounts;
}

export function createFrameLedger(): FrameLedger {
  const open = createFrameTable<LedgerFrame>();
  const dropReasons: Partial<Record<DropReason, number>> = {};
  const expiryReasons: Partial<Record<ExpiryReason, number>> = {};
  let admitted = 0;
  let dropped = 0;
  let expired = 0;
  let delivered = 0;
  let onTimeCount = 0;

  return {
    drop(reason) {
      dropped++;
      dropReasons[reason] = (dropReasons[reason] ?? 0) + 1;
    },
    admit(frame) {
      admitted++;
      open.set(frame.stream, frame.frame, frame);
    },
    find: (stream, frame) => open.get(stream, frame),
    expire(stream, frame, reason) {
      const entry = open.take(stream, frame);
      if (entry) {
        expired++;
        expiryReasons[reason] = (expiryReasons[reason] ?? 0) + 1;
      }
      return entry;
    },
    deliver(stream, frame, onTime) {
      const entry = open.take(stream, frame);
      if (entry) delivered++;
      if (entry && onTime) onTimeCount++;
      return entry;
    },
    overdue(nowMs) {
      return open.values.find((entry) => entry.givenUpAtMs <= nowMs);
    },
    nextTimeoutMs() {
      let next = Number.POSITIVE_INFINITY;
      for (const entry of open.values) next = Math.min(next, entry.givenUpAtMs);
      return next;
    },
    open: () => open.values,
    get inFlight() {
      return open.size;
    },
    get counts() {
      return {
        ...{ offered: admitted + dropped, admitted, dropped, expired, delivered, onTime: onTimeCount },
        ...{ dropReasons: { ...dropReasons }, expiryReasons: { ...expiryReasons } },
      };
    },
  };
}
