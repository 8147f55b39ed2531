/** The server's part of forward error correction: which streams have it, and what its symbols bring back (spec 5.8). */
import type { ReceivedSlice } from "../datagram.js";
import type { SliceHeader } from "../slice-header.js";
import { type FecOptions, parseFec } from "./fec-options.js";
import { createFecReceiver, type RecoveredDatagram, type RepairReceipt } from "./fec-receiver.js";
import { reedSolomon } from "./reed-solomon.js";

export interface Recovery {
  /** A stream is accepted; returns how many frames a group may span, 0 where its text is empty. */
  open(stream: number, text: string): number;
  close(stream: number): void;
  protects(stream: number): boolean;
  /** A datagram came with these slices; returns what can be recovered now. */
  hold(sequence: number, datagram: Uint8Array, slices: readonly ReceivedSlice[]): RecoveredDatagram[];
  /** A symbol of a stream with forward error correction came in a datagram. @throws ProtocolError malformedDatagram */
  repair(header: SliceHeader, payload: Uint8Array, sequence: number): RecoveredDatagram[];
  clear(): void;
  readonly datagramsRecovered: number;
  /** Symbols that came, by what became of them. */
  readonly receipts: Readonly<Record<RepairReceipt, number>>;
}

export function createRecovery(): Recovery {
  const receiver = createFecReceiver(reedSolomon);
  const streams = new Map<number, FecOptions>();
  const receipts: Record<RepairReceipt, number> = {
    taken: 0,
    duplicate: 0,
    unneeded: 0,
    late: 0,
    refused: 0,
  };
  return {
    open(stream, text) {
      const options = parseFec(text);
      if (options) streams.set(stream, options);
      return options?.span ?? 0;
    },
    close(stream) {
      // What is held serves no one then.
      if (streams.delete(stream) && streams.size === 0) receiver.clear();
    },
    protects: (stream) => streams.has(stream),
    hold(sequence, datagram, slices) {
      if (streams.size === 0) return [];
      const isSource = slices.some(({ header }) => header.repair === undefined && streams.has(header.stream));
      return isSource ? receiver.hold(sequence, datagram) : [];
    },
    repair(header, payload, sequence) {
      const { receipt, recovered } = receiver.repair(header, payload, sequence, streams.get(header.stream)!);
      receipts[receipt]++;
      return recovered;
    },
    clear() {
      streams.clear();
      receiver.clear();
    },
    get datagramsRecovered() {
      return receiver.datagramsRecovered;
    },
    get receipts() {
      return { ...receipts };
    },
  };
}
