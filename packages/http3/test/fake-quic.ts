import { type QuicStreams, STREAM } from "#src/webtransport/quic-streams.js";

interface Arrived {
  bytes: Uint8Array;
  fin: boolean;
  resetCode: number | undefined;
}

/** A QUIC connection that holds what a test puts in, and records what is sent. */
export class FakeQuic implements QuicStreams {
  fin = false;
  errorCode = 0;
  readonly sent = new Map<number, { bytes: Uint8Array; fin: boolean }>();
  readonly stopped = new Map<number, number>();
  readonly reset = new Map<number, number>();
  /** Streams of ours that the peer has stopped, with its codes. */
  readonly stoppedByPeer = new Map<number, number>();
  datagrams: Uint8Array[] = [];
  readonly #arrived = new Map<number, Arrived>();

  arrive(streamId: number, bytes: Uint8Array, fin = false): void {
    const before = this.#arrived.get(streamId)?.bytes ?? new Uint8Array(0);
    this.#arrived.set(streamId, { bytes: Buffer.concat([before, bytes]), fin, resetCode: undefined });
  }

  arriveReset(streamId: number, resetCode: number): void {
    this.#arrived.set(streamId, { bytes: new Uint8Array(0), fin: false, resetCode });
  }

  send(streamId: number, data: Uint8Array, fin: boolean): number {
    this.offers += 1;
    if (this.room === 0 && data.byteLength > 0) return STREAM.BLOCKED;
    const taken = data.subarray(0, this.room);
    this.room -= taken.byteLength;
    const before = this.sent.get(streamId)?.bytes ?? new Uint8Array(0);
    this.sent.set(streamId, {
      bytes: Buffer.concat([before, taken]),
      fin: fin && taken.byteLength === data.byteLength,
    });
    return taken.byteLength;
  }

  /** Bytes that the connection takes still; a stream takes no more than they. */
  room = Number.POSITIVE_INFINITY;
  /** How often bytes were offered. */
  offers = 0;

  capacity(): number {
    return this.room;
  }

  sendFirst(): void {}

  receive(streamId: number, buffer: Uint8Array): number {
    const arrived = this.#arrived.get(streamId);
    this.fin = false;
    if (arrived === undefined) return STREAM.BLOCKED;
    if (arrived.resetCode !== undefined) {
      this.errorCode = arrived.resetCode;
      this.#arrived.delete(streamId);
      return STREAM.ENDED;
    }
    const length = Math.min(buffer.byteLength, arrived.bytes.byteLength);
    if (length === 0 && !arrived.fin) {
      this.#arrived.delete(streamId);
      return STREAM.BLOCKED;
    }
    buffer.set(arrived.bytes.subarray(0, length));
    arrived.bytes = arrived.bytes.subarray(length);
    this.fin = arrived.fin && arrived.bytes.byteLength === 0;
    if (this.fin) this.#arrived.delete(streamId);
    return length;
  }

  checkStopped(streamId: number): number {
    const code = this.stoppedByPeer.get(streamId);
    if (code === undefined) return 0;
    this.errorCode = code;
    return STREAM.ENDED;
  }

  resetSend(streamId: number, h3Code: number): void {
    this.reset.set(streamId, h3Code);
  }

  stopReceive(streamId: number, h3Code: number): void {
    this.stopped.set(streamId, h3Code);
    this.#arrived.delete(streamId);
  }

  readable(): number[] {
    return [...this.#arrived.keys()];
  }

  receiveDatagram(buffer: Uint8Array): number {
    const datagram = this.datagrams.shift();
    if (datagram === undefined) return -1;
    buffer.set(datagram);
    return datagram.byteLength;
  }

  sendDatagram(): boolean {
    return true;
  }
}
