import { type ReceiveStream, type SendStream, StreamError } from "@sluice/transport";
import { toStreamError } from "./quinn-error.js";
import type { NativeReceiveStream, NativeSendStream } from "./quinn-module.js";

/** A reset waits for the write before it, so writes are made in pieces. */
const PIECE_BYTES = 1 << 16;
const READ_BYTES = 1 << 16;

const ignore = () => {};

/** A sending half. Pending writes end with a reset at once, whatever the native side does. */
export class QuinnSendStream implements SendStream {
  #error: StreamError | undefined;
  #isFinished = false;
  /** The end was handed over; how that went is on its way from the other thread. */
  #isEnding = false;
  #finishing: Promise<void> | undefined;
  #tail: Promise<void> = Promise.resolve();
  readonly #pending = new Set<(error: StreamError) => void>();

  /** Let go of at the end, since the UDP socket lives as long as it does. */
  #native: NativeSendStream | undefined;

  constructor(
    native: NativeSendStream,
    /** The half needs to be kept no longer. */
    readonly onDone: (stream: QuinnSendStream) => void,
  ) {
    this.#native = native;
  }

  write(data: Uint8Array): Promise<void> {
    if (this.#error !== undefined) return Promise.reject(this.#error);
    if (this.#finishing !== undefined) return Promise.reject(new Error("write after finish"));
    if (data.byteLength === 0) return Promise.resolve();
    return this.#enqueue(() => this.#writePieces(data));
  }

  finish(): Promise<void> {
    if (this.#error !== undefined) return Promise.reject(this.#error);
    this.#finishing ??= this.#enqueue(async () => {
      this.#isEnding = true;
      await this.#native?.finish();
      this.#isFinished = true;
      this.#native = undefined;
      this.onDone(this);
    });
    return this.#finishing;
  }

  reset(code: number): void {
    if (this.#error !== undefined || this.#isFinished) return;
    const native = this.#native;
    this.fail(new StreamError("reset", code >>> 0));
    native?.reset(code >>> 0).catch(ignore);
  }

  /** The session ended. */
  end(): void {
    if (!this.#isEnding) this.fail(new StreamError("closed", 0));
  }

  fail(error: StreamError): void {
    if (this.#error !== undefined || this.#isFinished) return;
    this.#error = error;
    for (const reject of this.#pending) reject(error);
    this.#pending.clear();
    this.#native = undefined;
    this.onDone(this);
  }

  async #writePieces(data: Uint8Array): Promise<void> {
    for (let offset = 0; offset < data.byteLength; offset += PIECE_BYTES) {
      if (this.#error !== undefined) throw this.#error;
      // A copy: after a reset the bytes are the caller's again, while the native side may still read them.
      await this.#native?.write(Buffer.from(data.subarray(offset, offset + PIECE_BYTES)));
    }
  }

  /** Calls go out in their order. */
  #enqueue(work: () => Promise<void>): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#pending.add(reject);
      this.#tail = this.#tail.then(async () => {
        try {
          if (this.#error !== undefined) return;
          await work();
          this.#pending.delete(reject);
          resolve();
        } catch (cause) {
          this.#abandon(cause);
        }
      });
    });
  }

  #abandon(cause: unknown): void {
    const error = toStreamError(cause);
    const native = this.#native;
    this.fail(error);
    // RFC 9000 3.5: a stop is answered with a reset that copies its code.
    if (error.kind === "stopped") native?.reset(error.code).catch(ignore);
  }
}

/** A receiving half. A stop reaches the peer when the read that is pending ends. */
export class QuinnReceiveStream implements ReceiveStream {
  #error: StreamError | undefined;
  #hasEnded = false;
  #rejectPending: ((error: StreamError) => void) | undefined;

  /** Let go of at the end, since the UDP socket lives as long as it does. */
  #native: NativeReceiveStream | undefined;

  constructor(
    native: NativeReceiveStream,
    /** The half needs to be kept no longer. */
    readonly onDone: (stream: QuinnReceiveStream) => void,
  ) {
    this.#native = native;
  }

  read(): Promise<Uint8Array | undefined> {
    if (this.#rejectPending !== undefined) return Promise.reject(new Error("a read is already pending"));
    if (this.#error !== undefined) return Promise.reject(this.#error);
    const native = this.#native;
    if (this.#hasEnded || native === undefined) return Promise.resolve(undefined);
    return new Promise((resolve, reject) => {
      this.#rejectPending = reject;
      native.read(READ_BYTES).then(
        (chunk) => {
          this.#rejectPending = undefined;
          if (chunk === null && this.#error === undefined) {
            this.#hasEnded = true;
            this.#leave();
          }
          resolve(chunk ?? undefined);
        },
        (cause: unknown) => {
          this.#rejectPending = undefined;
          this.#error ??= toStreamError(cause);
          this.#leave();
          reject(this.#error);
        },
      );
    });
  }

  stop(code: number): void {
    if (this.#error !== undefined || this.#hasEnded) return;
    this.#error = new StreamError("stopped", code >>> 0);
    this.#rejectPending?.(this.#error);
    this.#native
      ?.stop(code >>> 0)
      .catch(ignore)
      .finally(() => this.#leave());
  }

  /** The session is over, and what has arrived is not wanted. */
  abandon(): void {
    this.#error ??= new StreamError("closed", 0);
    this.#rejectPending?.(this.#error);
    this.#leave();
  }

  #leave(): void {
    this.#native = undefined;
    this.onDone(this);
  }
}
