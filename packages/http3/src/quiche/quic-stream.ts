import { type ReceiveStream, type SendStream, StreamError } from "@sluice/transport";
import { freeMemory } from "../free-memory.js";
import { STREAM_WINDOW_BYTES, type ToWorker } from "./messages.js";

/** Bytes copied into one message to the worker. */
const CHUNK_BYTES = 1 << 18;
/** Consumed bytes are granted again in steps of this size. */
const GRANT_BYTES = STREAM_WINDOW_BYTES / 4;

/** How streams reach the worker. */
export type Post = (message: ToWorker, transfers?: readonly ArrayBuffer[]) => void;

interface Waiting<T> {
  resolve(value: T): void;
  reject(error: Error): void;
}

/** The sending half on the main thread: copies bytes to the worker as its credit allows. */
export class QuicSendStream implements SendStream {
  #creditBytes = STREAM_WINDOW_BYTES;
  #error: StreamError | undefined;
  #finishing = false;
  #isFinished = false;
  #waiters: Waiting<void>[] = [];
  #finishWaiters: Waiting<void>[] = [];
  /** Writes and the end go out in the order of the calls. */
  #tail: Promise<void> = Promise.resolve();

  constructor(
    readonly session: number,
    readonly stream: number,
    readonly post: Post,
    readonly onDone: () => void,
  ) {}

  write(data: Uint8Array): Promise<void> {
    return this.#queue(() => this.#write(data));
  }

  give(data: Uint8Array<ArrayBuffer>): Promise<void> {
    return this.#queue(() => this.#write(data, data.byteLength === data.buffer.byteLength));
  }

  /** Writes when all before it has been. */
  #queue(write: () => Promise<void>): Promise<void> {
    if (this.#error !== undefined) return Promise.reject(this.#error);
    if (this.#finishing) return Promise.reject(new Error("write after finish"));
    const written = this.#tail.then(write);
    this.#tail = written.catch(() => {});
    return written;
  }

  finish(): Promise<void> {
    if (this.#error !== undefined) return Promise.reject(this.#error);
    if (this.#isFinished) return Promise.resolve();
    const finished = new Promise<void>((resolve, reject) => this.#finishWaiters.push({ resolve, reject }));
    if (!this.#finishing) {
      this.#finishing = true;
      this.#tail = this.#tail.then(() => {
        if (this.#error === undefined) this.#post(new Uint8Array(0), true);
      });
    }
    return finished;
  }

  reset(code: number): void {
    if (this.#error !== undefined || this.#isFinished) return;
    this.post({ type: "reset", session: this.session, stream: this.stream, code });
    this.fail(new StreamError("reset", code));
  }

  handleCredit(bytes: number): void {
    this.#creditBytes += bytes;
    this.#wake();
  }

  handleFinished(): void {
    if (this.#error !== undefined) return;
    this.#isFinished = true;
    const waiters = this.#finishWaiters;
    this.#finishWaiters = [];
    for (const waiter of waiters) waiter.resolve();
    this.onDone();
  }

  fail(error: StreamError): void {
    if (this.#error !== undefined || this.#isFinished) return;
    this.#error = error;
    const waiters = [...this.#waiters, ...this.#finishWaiters];
    this.#waiters = [];
    this.#finishWaiters = [];
    for (const waiter of waiters) waiter.reject(error);
    this.onDone();
  }

  /** `isGiven`: the memory of `data` holds nothing else and may go along. */
  async #write(data: Uint8Array, isGiven = false): Promise<void> {
    for (let offset = 0; offset < data.byteLength; ) {
      if (this.#error !== undefined) throw this.#error;
      if (this.#creditBytes === 0) {
        await this.#credit();
        continue;
      }
      if (isGiven && offset === 0 && data.byteLength <= this.#creditBytes) {
        this.#creditBytes -= data.byteLength;
        this.#post(data as Uint8Array<ArrayBuffer>, false);
        break;
      }
      const end = Math.min(data.byteLength, offset + Math.min(CHUNK_BYTES, this.#creditBytes));
      this.#post(new Uint8Array(data.subarray(offset, end)), false);
      this.#creditBytes -= end - offset;
      offset = end;
    }
    if (this.#error !== undefined) throw this.#error;
    // "Can take more": otherwise the next write would queue up behind this one.
    if (this.#creditBytes === 0) await this.#credit();
  }

  #credit(): Promise<void> {
    return new Promise((resolve, reject) => this.#waiters.push({ resolve, reject }));
  }

  #wake(): void {
    const waiters = this.#waiters;
    this.#waiters = [];
    for (const waiter of waiters) waiter.resolve();
  }

  #post(bytes: Uint8Array<ArrayBuffer>, fin: boolean): void {
    const transfers = bytes.byteLength > 0 ? [bytes.buffer] : [];
    this.post({ type: "write", session: this.session, stream: this.stream, bytes, fin }, transfers);
  }
}

/** The receiving half on the main thread: what the worker delivered and nobody has read yet. */
export class QuicReceiveStream implements ReceiveStream {
  #chunks: Uint8Array[] = [];
  #hasEnded = false;
  #error: StreamError | undefined;
  #reader: Waiting<Uint8Array | undefined> | undefined;
  #consumedBytes = 0;
  #isDone = false;

  constructor(
    readonly session: number,
    readonly stream: number,
    readonly post: Post,
    readonly onDone: () => void,
  ) {}

  read(): Promise<Uint8Array | undefined> {
    if (this.#reader !== undefined) return Promise.reject(new Error("a read is already pending"));
    const chunk = this.#chunks.shift();
    if (chunk !== undefined) {
      this.#consume(chunk.byteLength);
      return Promise.resolve(chunk);
    }
    if (this.#error !== undefined) return Promise.reject(this.#error);
    if (this.#hasEnded) return Promise.resolve(undefined);
    return new Promise((resolve, reject) => {
      this.#reader = { resolve, reject };
    });
  }

  release(read: readonly Uint8Array[]): void {
    freeMemory(read);
  }

  stop(code: number): void {
    if (this.#error !== undefined) return;
    if (!this.#hasEnded) this.post({ type: "stop", session: this.session, stream: this.stream, code });
    this.fail(new StreamError("stopped", code));
  }

  handleData(bytes: Uint8Array, fin: boolean): void {
    if (this.#error !== undefined) return;
    if (fin) this.#hasEnded = true;
    const reader = this.#reader;
    if (bytes.byteLength > 0) {
      if (reader === undefined) this.#chunks.push(bytes);
      else {
        this.#reader = undefined;
        this.#consume(bytes.byteLength);
        reader.resolve(bytes);
      }
    } else if (fin && reader !== undefined) {
      this.#reader = undefined;
      reader.resolve(undefined);
    }
    if (fin) this.#settle();
  }

  /** Ends it with `error`; what was not read yet is dropped, as a reset says (RFC 9000 19.4). */
  fail(error: StreamError): void {
    if (this.#error !== undefined) return;
    this.#error = error;
    this.#chunks = [];
    const reader = this.#reader;
    this.#reader = undefined;
    reader?.reject(error);
    this.#settle();
  }

  #settle(): void {
    if (this.#isDone) return;
    this.#isDone = true;
    this.onDone();
  }

  #consume(bytes: number): void {
    this.#consumedBytes += bytes;
    if (this.#consumedBytes < GRANT_BYTES || this.#hasEnded) return;
    this.post({ type: "grant", session: this.session, stream: this.stream, bytes: this.#consumedBytes });
    this.#consumedBytes = 0;
  }
}
