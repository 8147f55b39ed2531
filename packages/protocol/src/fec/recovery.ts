/** The server's part of forward error correction: which streams have it, and what its symbols bring back (spec 5.8). */
import type { ReceivedSlice } from "../datagram.js";
import type { SliceHeader } from "../slice-header.js";
import { type FecOptions, parseFec } from "./fec-options.js";
import { createFecReceiver, type RecoveredDatagram, type RepairReceipt } from "./fec-receiver.js";
import { reedSolomon } from "./reed-solomon.js";
import { createSequenceAge } from "./sequence-age.js";

export interface Recovery {
  /** A stream is accepted; returns how many frames a group may span, 0 where its text is empty. */
  open(stream: number, text: string, deadlineMs: number): number;
  close(stream: number): void;
  protects(stream: number): boolean;
  /** A datagram came with these slices; returns what can be recovered now. */
  hold(
    sequence: number,
    datagram: Uint8Array,
    slices: readonly ReceivedSlice[],
    nowMs: number,
  ): RecoveredDatagram[];
  /** A symbol of a stream with forward error correction came in a datagram. @throws ProtocolError malformedDatagram */
  repair(header: SliceHeader, payload: Uint8Array, sequence: number, nowMs: number): RecoveredDatagram[];
  /** Forgets what came so long ago that its frames are past their deadlines. */
  expire(nowMs: number): void;
  /** When {@link expire} has something to forget; Infinity where nothing is held. */
  nextTimeoutMs(): number;
  clear(): void;
  readonly datagramsRecovered: number;
  /** Bytes of the datagrams and symbols that are held. */
  readonly bytes: number;
  /** Symbols that came, by what became of them. */
  readonly receipts: Readonly<Record<RepairReceipt, number>>;
}

export function createRecovery(): Recovery {
  const receiver = createFecReceiver(reedSolomon);
  const streams = new Map<number, FecOptions & { readonly keepMs: number }>();
  const age = createSequenceAge();
  let keepMs = 0;
  const receipts: Record<RepairReceipt, number> = {
    taken: 0,
    duplicate: 0,
    unneeded: 0,
    late: 0,
    refused: 0,
  };

  /**
   * A frame is captured before its datagrams come, so that it is late a deadline after that. The first of several frames
   * that a group spans helps the last one even then, by no more than what a sender lets them wait for their symbols.
   */
  function longestKeepMs(): number {
    return Math.max(0, ...[...streams.values()].map((stream) => stream.keepMs));
  }

  function forget(): void {
    receiver.clear();
    age.clear();
  }

  return {
    open(stream, text, deadlineMs) {
      const options = parseFec(text);
      if (options) streams.set(stream, { ...options, keepMs: (options.span > 1 ? 2 : 1) * deadlineMs });
      keepMs = longestKeepMs();
      return options?.span ?? 0;
    },
    close(stream) {
      const wasProtected = streams.delete(stream);
      keepMs = longestKeepMs();
      // What is held serves no one then.
      if (wasProtected && streams.size === 0) forget();
    },
    protects: (stream) => streams.has(stream),
    hold(sequence, datagram, slices, nowMs) {
      if (streams.size === 0) return [];
      const isSource = slices.some(({ header }) => header.repair === undefined && streams.has(header.stream));
      if (!isSource) return [];
      age.came(sequence, nowMs);
      return receiver.hold(sequence, datagram);
    },
    repair(header, payload, sequence, nowMs) {
      const { receipt, recovered } = receiver.repair(header, payload, sequence, streams.get(header.stream)!);
      receipts[receipt]++;
      age.came(sequence, nowMs);
      return recovered;
    },
    expire(nowMs) {
      if (age.nextTimeoutMs(keepMs) <= nowMs) receiver.forgetBelow(age.oldestAfter(keepMs, nowMs));
    },
    nextTimeoutMs: () => age.nextTimeoutMs(keepMs),
    clear() {
      streams.clear();
      forget();
    },
    get bytes() {
      return receiver.bytes;
    },
    get datagramsRecovered() {
      return receiver.datagramsRecovered;
    },
    get receipts() {
      return { ...receipts };
    },
  };
}
