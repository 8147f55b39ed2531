import quiche from "@matrixai/quic/native/quiche.js";
import type { Connection } from "@matrixai/quic/native/types.js";
import { type QuicStreams, STREAM } from "../webtransport/quic-streams.js";
import { lendBytes } from "./lent-bytes.js";

/** What quiche says in its errors, which the binding throws as text: `StreamReset(7)`, `StreamLimit`, … */
const ERROR_TEXT = /^(StreamLimit|StreamReset|StreamStopped|InvalidStreamState|Done)(?:\((\d+)\))?/;

/** {@link QuicStreams} on a quiche connection. */
export class QuicheStreams implements QuicStreams {
  fin = false;
  errorCode = 0;

  constructor(readonly connection: Connection) {}

  send(streamId: number, data: Uint8Array, fin: boolean): number {
    try {
      return this.connection.streamSend(streamId, lendBytes(data), fin) ?? STREAM.BLOCKED;
    } catch (error) {
      return this.#classify(error);
    }
  }

  sendFirst(streamId: number): void {
    try {
      this.connection.streamPriority(streamId, 0, false);
    } catch {
      // Too many streams; sending on it says so.
    }
  }

  receive(streamId: number, buffer: Uint8Array): number {
    this.fin = false;
    try {
      const result = this.connection.streamRecv(streamId, buffer);
      if (result === null) return STREAM.BLOCKED;
      this.fin = result[1];
      return result[0];
    } catch (error) {
      return this.#classify(error);
    }
  }

  checkStopped(streamId: number): number {
    try {
      this.connection.streamCapacity(streamId);
      return 0;
    } catch (error) {
      return this.#classify(error);
    }
  }

  /** Bytes that a stream of ours takes now; `undefined` where it cannot send. */
  capacity(streamId: number): number | undefined {
    try {
      return this.connection.streamCapacity(streamId);
    } catch {
      return undefined;
    }
  }

  resetSend(streamId: number, h3Code: number): void {
    this.#shutdown(streamId, quiche.Shutdown.Write, h3Code);
  }

  stopReceive(streamId: number, h3Code: number): void {
    this.#shutdown(streamId, quiche.Shutdown.Read, h3Code);
  }

  readable(): Iterable<number> {
    // Making the iterator costs several times as much as asking.
    return this.connection.isReadable() ? this.connection.readable() : [];
  }

  receiveDatagram(buffer: Uint8Array): number {
    try {
      return this.connection.dgramRecv(buffer) ?? -1;
    } catch {
      return -1;
    }
  }

  sendDatagram(data: Uint8Array): boolean {
    try {
      return this.connection.dgramSend(lendBytes(data)) !== null;
    } catch {
      return true; // Too big since the path shrank, or the connection ended: it can never be sent.
    }
  }

  #shutdown(streamId: number, direction: number, h3Code: number): void {
    try {
      this.connection.streamShutdown(streamId, direction, h3Code);
    } catch {
      // The stream is complete already: there is nothing left to abandon.
    }
  }

  #classify(error: unknown): number {
    const match = ERROR_TEXT.exec(error instanceof Error ? error.message : String(error));
    switch (match?.[1]) {
      case "Done":
        return STREAM.BLOCKED;
      case "StreamLimit":
        return STREAM.LIMITED;
      case "StreamReset":
      case "StreamStopped":
        this.errorCode = Number(match[2] ?? 0);
        return STREAM.ENDED;
      default:
        return STREAM.GONE;
    }
  }
}
