import { ReadableStream, WritableStream } from "node:stream/web";
import type { Session } from "@sluice/transport";
import { type Chunk, toBytes } from "./streams.js";
import { WebTransportError } from "./web-transport-error.js";

/** Datagrams that wait to be read; beyond them the oldest are dropped, as the standard says. */
const DEFAULT_MAX_BUFFERED = 1024;
/** A datagram that finds the session's queue full is tried again so often, */
const RETRY_MS = 1;
/** and dropped after this. */
const DEFAULT_MAX_AGE_MS = 100;

/** https://www.w3.org/TR/webtransport/#webtransportdatagramduplexstream over a {@link Session}. */
export class WebTransportDatagramDuplexStream {
  readonly readable: ReadableStream<Uint8Array>;
  /** Age in milliseconds at which a datagram is dropped that could not be sent; `null` stands for 100. */
  outgoingMaxAge: number | null = null;
  incomingMaxBufferedDatagrams = DEFAULT_MAX_BUFFERED;
  #writable: WritableStream<Chunk> | undefined;
  #session: Session | undefined;
  #isOver = false;
  #waiting: Uint8Array[] = [];
  #wake: (() => void) | undefined;
  #droppedIncoming = 0;
  #expiredOutgoing = 0;
  #ready: Promise<unknown>;

  constructor(opening: Promise<Session>) {
    this.#ready = opening.then(
      (session) => this.#attach(session),
      () => this.#end(),
    );
    this.readable = new ReadableStream<Uint8Array>(
      {
        pull: async (controller) => {
          while (this.#waiting.length === 0 && !this.#isOver) {
            await new Promise<void>((resolve) => {
              this.#wake = resolve;
            });
          }
          const datagram = this.#waiting.shift();
          if (datagram === undefined) controller.close();
          else controller.enqueue(datagram);
        },
        cancel: () => {
          this.#waiting = [];
          this.incomingMaxBufferedDatagrams = 0;
        },
      },
      { highWaterMark: 0 },
    );
  }

  /** Bytes that one datagram can hold now; 0 before the session is open and where it has no datagrams. */
  get maxDatagramSize(): number {
    return this.#session?.maxDatagramBytes ?? 0;
  }

  /** The writable stream of the older drafts: one for all. */
  get writable(): WritableStream<Chunk> {
    this.#writable ??= this.createWritable();
    return this.#writable;
  }

  /**
   * A stream that sends each chunk as one datagram. A chunk that is too big is dropped without an error, as the
   * standard says: look at {@link maxDatagramSize}.
   */
  createWritable(): WritableStream<Chunk> {
    return new WritableStream<Chunk>({ write: (chunk) => this.#send(toBytes(chunk)) });
  }

  get droppedIncoming(): number {
    return this.#droppedIncoming;
  }

  get expiredOutgoing(): number {
    return this.#expiredOutgoing;
  }

  async #send(bytes: Uint8Array): Promise<void> {
    await this.#ready;
    const session = this.#session;
    const deadlineMs = performance.now() + (this.outgoingMaxAge ?? DEFAULT_MAX_AGE_MS);
    for (;;) {
      const outcome = session?.sendDatagram(bytes) ?? "closed";
      if (outcome === "closed") throw new WebTransportError("the session is closed", { source: "session" });
      if (outcome !== "queue-full") return;
      if (performance.now() >= deadlineMs) {
        this.#expiredOutgoing += 1;
        return;
      }
      await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
    }
  }

  #attach(session: Session): void {
    this.#session = session;
    session.onDatagrams((batch) => {
      this.#waiting.push(...batch);
      const surplus = this.#waiting.length - this.incomingMaxBufferedDatagrams;
      if (surplus > 0) this.#droppedIncoming += this.#waiting.splice(0, surplus).length;
      this.#wakeReader();
    });
    void session.closed.then(() => this.#end());
  }

  #end(): void {
    this.#isOver = true;
    this.#wakeReader();
  }

  #wakeReader(): void {
    const wake = this.#wake;
    this.#wake = undefined;
    wake?.();
  }
}
