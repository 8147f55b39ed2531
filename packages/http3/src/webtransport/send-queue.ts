import { freeMemory } from "../free-memory.js";
import { type QuicStreams, STREAM } from "./quic-streams.js";

const EMPTY = new Uint8Array(0);

/** Bytes and the end of one stream on their way to the engine. Bounded by whoever pushes. */
export class SendQueue {
  #chunks: Uint8Array[] = [];
  #offset = 0;
  #fin = false;
  #finSent = false;

  get isIdle(): boolean {
    return this.#chunks.length === 0 && this.#fin === this.#finSent;
  }

  get hasBytes(): boolean {
    return this.#chunks.length > 0;
  }

  /** Whether the end was handed to the engine. */
  get isFinished(): boolean {
    return this.#finSent;
  }

  /** The bytes belong to the queue, which gives their memory back once the engine has them all. */
  push(bytes: Uint8Array, fin: boolean): void {
    if (bytes.byteLength > 0) this.#chunks.push(bytes);
    if (fin) this.#fin = true;
  }

  clear(): void {
    this.#chunks = [];
    this.#offset = 0;
    this.#fin = this.#finSent;
  }

  /** Sends what fits. Returns the bytes taken, or ENDED, GONE or LIMITED; being blocked returns what was taken. */
  flush(quic: QuicStreams, streamId: number): number {
    let taken = 0;
    while (!this.isIdle) {
      const chunk = this.#chunks[0] ?? EMPTY;
      const isLast = this.#chunks.length <= 1;
      const rest = this.#offset === 0 ? chunk : chunk.subarray(this.#offset);
      const result = quic.send(streamId, rest, isLast && this.#fin);
      if (result === STREAM.BLOCKED) break;
      if (result < 0) return result;
      taken += result;
      if (result < rest.byteLength) {
        this.#offset += result;
        break;
      }
      this.#chunks.shift();
      freeMemory([chunk]);
      this.#offset = 0;
      if (isLast && this.#fin) this.#finSent = true;
    }
    return taken;
  }
}
