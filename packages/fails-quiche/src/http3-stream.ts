import { type ReceiveStream, type SendStream, StreamError } from "@sluice/transport";
import type { StreamOwner } from "./contract.js";

/** A stream as `@fails-components/webtransport` drives it, over the halves of ours. */
export class Http3Stream {
  jsobj: StreamOwner | undefined;
  readonly #send: SendStream | undefined;
  readonly #receive: ReceiveStream | undefined;
  #isFinishing = false;
  #isWanted = false;
  #isReading = false;

  constructor(send: SendStream | undefined, receive: ReceiveStream | undefined) {
    this.#send = send;
    this.#receive = receive;
  }

  /** To be called when the library has built its end. */
  watchAbort(): void {
    const owner = this.jsobj;
    // `abort` waits for the write that is going on, which may wait for a peer that does not read: let it go.
    owner?.writableController?.signal.addEventListener(
      "abort",
      () => {
        if (!this.#isFinishing) owner.onStreamWrite({ success: false });
      },
      { once: true },
    );
  }

  /** The library has room: hands it the next bytes, and no more before it asks again. */
  startReading(): void {
    this.#isWanted = true;
    if (!this.#isReading) void this.#read();
  }

  stopReading(): void {
    this.#isWanted = false;
  }

  /** The library takes what is here before a stream ends. Nothing is held back here. */
  drainReads(): void {}

  stopSending(code: number): void {
    this.#receive?.stop(code);
    this.jsobj?.onStreamNetworkFinish({ nettask: "stopSending" });
  }

  writeChunk(bytes: Uint8Array): void {
    this.#send?.write(bytes).then(
      () => this.jsobj?.onStreamWrite({ success: true }),
      (error: unknown) => {
        this.#tellStopped(error);
        // The library has no way to fail the write that is going on; the next one finds the stream failed.
        this.jsobj?.onStreamWrite({ success: false });
      },
    );
  }

  streamFinal(): void {
    this.#isFinishing = true;
    const done = () => this.jsobj?.onStreamNetworkFinish({ nettask: "streamFinal" });
    this.#send?.finish().then(done, (error: unknown) => {
      this.#tellStopped(error);
      done();
    });
  }

  resetStream(code: number): void {
    this.#send?.reset(code);
    const owner = this.jsobj;
    if (this.#receive !== undefined && owner?.abortres) {
      // Told of the reset, version 1.6.8 closes the other half too, which lives on (RFC 9000 3).
      const settle = owner.abortres;
      owner.abortres = null;
      settle();
      return;
    }
    owner?.onStreamNetworkFinish({ nettask: "resetStream" });
  }

  /** Priorities have no place in the session below. */
  updateSendOrderAndGroup(): void {}

  #tellStopped(error: unknown): void {
    if (!(error instanceof StreamError) || error.kind !== "stopped") return;
    this.jsobj?.onStreamRecvSignal({ code: error.code, nettask: "stopSending" });
  }

  async #read(): Promise<void> {
    this.#isReading = true;
    try {
      while (this.#isWanted) {
        const bytes = await this.#receive?.read();
        if (bytes === undefined) {
          this.#end();
          return;
        }
        this.#isWanted = false;
        this.#deliver(bytes);
      }
      this.#isReading = false;
    } catch (error) {
      if (error instanceof StreamError) {
        if (error.kind !== "reset") return;
        this.jsobj?.onStreamRecvSignal({ code: error.code, nettask: "resetStream" });
      } else {
        this.#receive?.stop(0);
      }
    }
  }

  #deliver(bytes: Uint8Array): void {
    const owner = this.jsobj;
    for (let offset = 0; owner !== undefined && offset < bytes.byteLength; ) {
      const target = owner.getReadBuffer({ byteSize: bytes.byteLength - offset });
      const { buffer } = target;
      if (buffer === undefined) return;
      // The reader's own buffer may be smaller.
      const end = Math.min(bytes.byteLength, offset + buffer.byteLength);
      buffer.set(bytes.subarray(offset, end));
      owner.commitReadBuffer({ ...target, readBytes: end - offset, drained: end === bytes.byteLength });
      offset = end;
    }
  }

  #end(): void {
    const owner = this.jsobj;
    owner?.commitReadBuffer({ fin: true });
    // A waiting `read(view)` ends only with this.
    owner?.readableController?.byobRequest?.respond(0);
  }
}
