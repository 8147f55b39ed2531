import { encodeMuxFrame, MAX_DATA_BYTES, SESSION_WINDOW_BYTES } from "./mux-frame.js";
import type { MuxSendStream } from "./mux-stream.js";

/** The first bidirectional stream of the client: the protocol's control stream. */
const CONTROL_STREAM = 0;
/** Small streams that may pass before a bulky one gets its turn. */
const SMALL_IN_A_ROW = 8;

/**
 * Decides what is sent next: control frames, then the control stream, then streams with little to send, then the
 * others, in turns of one chunk. So nothing waits behind more than one chunk of a big write.
 */
export class MuxScheduler {
  #control: Uint8Array[] = [];
  #small: MuxSendStream[] = [];
  #bulk: MuxSendStream[] = [];
  #first: MuxSendStream | undefined;
  #smallInARow = 0;
  /** What may be sent on all streams together. */
  creditBytes = SESSION_WINDOW_BYTES;

  constructor(
    /** Control frames that may wait; more mean that the peer does not read. */
    readonly maxControlFrames: number,
  ) {}

  /** Queues a control frame; false where too many wait. */
  addControl(message: Uint8Array): boolean {
    if (this.#control.length >= this.maxControlFrames) return false;
    this.#control.push(message);
    return true;
  }

  /** Notes that `stream` may have something to send. */
  wake(stream: MuxSendStream): void {
    if (stream.isScheduled) return;
    if (stream.sendableBytes === 0 && !stream.wantsFin) return;
    stream.isScheduled = true;
    if (stream.id === CONTROL_STREAM) this.#first = stream;
    else if (stream.pendingBytes <= MAX_DATA_BYTES) this.#small.push(stream);
    else this.#bulk.push(stream);
  }

  /** The next message, or `undefined` where nothing can be sent now. */
  poll(): Uint8Array | undefined {
    const control = this.#control.shift();
    if (control !== undefined) return control;
    for (let stream = this.#next(); stream !== undefined; stream = this.#next()) {
      stream.isScheduled = false;
      const bytes = stream.take(this.creditBytes);
      if (bytes !== undefined) {
        this.creditBytes -= bytes.byteLength;
        const message = encodeMuxFrame({ type: "data", stream: stream.id, bytes });
        this.wake(stream);
        return message;
      }
      if (stream.wantsFin) {
        stream.handleFinSent();
        return encodeMuxFrame({ type: "fin", stream: stream.id });
      }
    }
    return undefined;
  }

  #next(): MuxSendStream | undefined {
    // Without credit for all, only ends of streams can go; the others come back with the credit.
    if (this.creditBytes === 0) return this.#takeFinished();
    const first = this.#first;
    this.#first = undefined;
    if (first !== undefined) return first;
    if (this.#small.length > 0 && (this.#smallInARow < SMALL_IN_A_ROW || this.#bulk.length === 0)) {
      this.#smallInARow += 1;
      return this.#small.shift();
    }
    this.#smallInARow = 0;
    return this.#bulk.shift();
  }

  #takeFinished(): MuxSendStream | undefined {
    if (this.#first?.wantsFin === true) {
      const first = this.#first;
      this.#first = undefined;
      return first;
    }
    for (const queue of [this.#small, this.#bulk]) {
      const index = queue.findIndex((stream) => stream.wantsFin);
      if (index !== -1) return queue.splice(index, 1)[0];
    }
    return undefined;
  }
}
