import { MAX_DATA_BYTES, MuxViolation, STREAM_WINDOW_BYTES } from "./mux-frame.js";
import { type ReceiveStream, type SendStream, StreamError } from "./session.js";

/** Chunks up to this size are joined while they wait, up to the other one. */
const SMALL_BYTES = 512;
const PACK_BYTES = 4096;

interface Waiting<T> {
  resolve(value: T): void;
  reject(error: Error): void;
}

interface PendingWrite extends Waiting<void> {
  readonly data: Uint8Array;
  offset: number;
}

/** What a half needs of its session. */
export interface MuxSendPort {
  /** The stream may have something to send now. */
  wake(stream: MuxSendStream): void;
  sendReset(stream: number, code: number): void;
  /** FIN or RESET was sent. */
  forgetSend(stream: number): void;
}

export interface MuxReceivePort {
  grant(stream: number, bytes: number): void;
  /** The application took these bytes or will never see them. */
  consume(bytes: number): void;
  sendStop(stream: number, code: number): void;
}

/** The sending half: writes wait here until credit and the scheduler let them go. */
export class MuxSendStream implements SendStream {
  #writes: PendingWrite[] = [];
  #pendingBytes = 0;
  #creditBytes = STREAM_WINDOW_BYTES;
  #error: StreamError | undefined;
  #finishing = false;
  #isFinished = false;
  #finishWaiters: Waiting<void>[] = [];
  /** Whether the scheduler holds it; the scheduler's own mark. */
  isScheduled = false;

  constructor(
    readonly id: number,
    readonly port: MuxSendPort,
  ) {}

  /** Bytes that wait, whether or not there is credit for them. */
  get pendingBytes(): number {
    return this.#pendingBytes;
  }

  /** Bytes that its own credit lets go now. */
  get sendableBytes(): number {
    return Math.min(this.#pendingBytes, this.#creditBytes);
  }

  /** Everything is sent but the end. */
  get wantsFin(): boolean {
    return this.#finishing && !this.#isFinished && this.#error === undefined && this.#writes.length === 0;
  }

  write(data: Uint8Array): Promise<void> {
    if (this.#error !== undefined) return Promise.reject(this.#error);
    if (this.#finishing) return Promise.reject(new Error("write after finish"));
    if (data.byteLength === 0) return Promise.resolve();
    return new Promise((resolve, reject) => {
      this.#writes.push({ data, offset: 0, resolve, reject });
      this.#pendingBytes += data.byteLength;
      this.port.wake(this);
    });
  }

  finish(): Promise<void> {
    if (this.#error !== undefined) return Promise.reject(this.#error);
    if (this.#isFinished) return Promise.resolve();
    return new Promise((resolve, reject) => {
      this.#finishing = true;
      this.#finishWaiters.push({ resolve, reject });
      this.port.wake(this);
    });
  }

  reset(code: number): void {
    this.#abandon(new StreamError("reset", code >>> 0));
  }

  handleStop(code: number): void {
    this.#abandon(new StreamError("stopped", code));
  }

  handleCredit(bytes: number): void {
    this.#creditBytes += bytes;
    if (!Number.isSafeInteger(this.#creditBytes)) throw new MuxViolation("credit without end");
    this.port.wake(this);
  }

  /** The next bytes to send, at most `maxBytes`; to be sent at once. `undefined` where nothing can go. */
  take(maxBytes: number): Uint8Array | undefined {
    const [first] = this.#writes;
    if (first === undefined) return undefined;
    const bytes = Math.min(MAX_DATA_BYTES, maxBytes, this.#creditBytes, first.data.byteLength - first.offset);
    if (bytes <= 0) return undefined;
    const chunk = first.data.subarray(first.offset, first.offset + bytes);
    first.offset += bytes;
    this.#pendingBytes -= bytes;
    this.#creditBytes -= bytes;
    if (first.offset === first.data.byteLength) {
      this.#writes.shift();
      first.resolve();
    }
    return chunk;
  }

  handleFinSent(): void {
    this.#isFinished = true;
    const waiters = this.#finishWaiters;
    this.#finishWaiters = [];
    for (const waiter of waiters) waiter.resolve();
    this.port.forgetSend(this.id);
  }

  fail(error: StreamError): void {
    if (this.#error !== undefined || this.#isFinished) return;
    this.#error = error;
    const waiting = [...this.#writes, ...this.#finishWaiters];
    this.#writes = [];
    this.#finishWaiters = [];
    this.#pendingBytes = 0;
    for (const waiter of waiting) waiter.reject(error);
  }

  #abandon(error: StreamError): void {
    if (this.#error !== undefined || this.#isFinished) return;
    this.fail(error);
    this.port.sendReset(this.id, error.code);
    this.port.forgetSend(this.id);
  }
}

/** The receiving half: holds what came until it is read; the credit bounds it. */
export class MuxReceiveStream implements ReceiveStream {
  #chunks: Uint8Array[] = [];
  /** The chunk that holds several small ones and may take more. */
  #packed: Uint8Array | undefined;
  #queuedBytes = 0;
  /** What the peer may still send. */
  #allowedBytes = STREAM_WINDOW_BYTES;
  #ungrantedBytes = 0;
  #hasEnded = false;
  #error: StreamError | undefined;
  #reader: Waiting<Uint8Array | undefined> | undefined;

  constructor(
    readonly id: number,
    readonly port: MuxReceivePort,
  ) {}

  read(): Promise<Uint8Array | undefined> {
    if (this.#reader !== undefined) return Promise.reject(new Error("a read is already pending"));
    const chunk = this.#chunks.shift();
    if (chunk !== undefined) {
      this.#queuedBytes -= chunk.byteLength;
      this.#consume(chunk.byteLength);
      return Promise.resolve(chunk);
    }
    if (this.#error !== undefined) return Promise.reject(this.#error);
    if (this.#hasEnded) return Promise.resolve(undefined);
    return new Promise((resolve, reject) => {
      this.#reader = { resolve, reject };
    });
  }

  stop(code: number): void {
    if (this.#error !== undefined) return;
    if (!this.#hasEnded) this.port.sendStop(this.id, code >>> 0);
    this.fail(new StreamError("stopped", code >>> 0));
  }

  handleData(bytes: Uint8Array): void {
    this.#allowedBytes -= bytes.byteLength;
    if (this.#allowedBytes < 0) throw new MuxViolation(`stream ${this.id}: more data than its credit`);
    if (this.#error !== undefined) {
      // What crosses our STOP.
      this.port.consume(bytes.byteLength);
      return;
    }
    const reader = this.#reader;
    if (reader === undefined) {
      this.#queuedBytes += bytes.byteLength;
      this.#chunks.push(bytes);
      this.#pack();
      return;
    }
    this.#reader = undefined;
    this.#consume(bytes.byteLength);
    reader.resolve(bytes);
  }

  handleFin(): void {
    this.#hasEnded = true;
    const reader = this.#reader;
    this.#reader = undefined;
    reader?.resolve(undefined);
  }

  /** Ends it with `error`; what was not read yet is dropped. */
  fail(error: StreamError): void {
    if (this.#error !== undefined) return;
    this.#error = error;
    this.#chunks = [];
    this.port.consume(this.#queuedBytes);
    this.#queuedBytes = 0;
    const reader = this.#reader;
    this.#reader = undefined;
    reader?.reject(error);
  }

  /** Joins the last two chunks where both are small, so that many tiny ones do not cost many objects. */
  #pack(): void {
    const last = this.#chunks.at(-1);
    const before = this.#chunks.at(-2);
    if (last === undefined || before === undefined) return;
    const isShared = before === this.#packed;
    if (last.byteLength > SMALL_BYTES || (!isShared && before.byteLength > SMALL_BYTES)) return;
    const used = before.byteLength;
    let pack = before;
    if (!isShared || before.byteOffset + used + last.byteLength > before.buffer.byteLength) {
      // A full pack stays as it is; the small chunk begins the next pair.
      if (isShared) {
        this.#packed = undefined;
        return;
      }
      pack = new Uint8Array(PACK_BYTES).subarray(0, used);
      pack.set(before);
    }
    const joined = new Uint8Array(pack.buffer, pack.byteOffset, used + last.byteLength);
    joined.set(last, used);
    this.#chunks.splice(-2, 2, joined);
    this.#packed = joined;
  }

  #consume(bytes: number): void {
    this.port.consume(bytes);
    if (this.#hasEnded) return;
    this.#ungrantedBytes += bytes;
    if (this.#ungrantedBytes < STREAM_WINDOW_BYTES / 4) return;
    this.#allowedBytes += this.#ungrantedBytes;
    this.port.grant(this.id, this.#ungrantedBytes);
    this.#ungrantedBytes = 0;
  }
}
