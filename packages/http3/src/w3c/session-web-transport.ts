import { ReadableStream, type WritableStream } from "node:stream/web";
import { type Session, StreamError } from "@sluice/transport";
import { WebTransportDatagramDuplexStream } from "./datagrams.js";
import {
  type Chunk,
  createBidirectionalStreams,
  createReadable,
  createWritable,
  type WebTransportBidirectionalStream,
} from "./streams.js";
import { WebTransportError } from "./web-transport-error.js";

/** https://www.w3.org/TR/webtransport/#dictdef-webtransportcloseinfo */
export interface WebTransportCloseInfo {
  /** 0 to 2^32 - 1. Default 0. */
  readonly closeCode?: number;
  /** At most 1,024 bytes of UTF-8; more are cut. */
  readonly reason?: string;
}

/** Figures of a session; what is not known is missing. Milliseconds, bytes, bits per second. */
export interface WebTransportConnectionStats {
  readonly smoothedRtt?: number;
  readonly estimatedSendRate?: number;
  readonly packetsSent?: number;
  readonly packetsLost?: number;
  readonly bytesSent?: number;
  readonly bytesReceived?: number;
  readonly datagrams: { readonly droppedIncoming: number; readonly expiredOutgoing: number };
}

/** Streams of the peer that wait to be read; more are refused. */
const MAX_WAITING_STREAMS = 256;
const REFUSED = 0;

const ignore = () => {};

/** The W3C WebTransport API (https://www.w3.org/TR/webtransport/) over a {@link Session} of any engine. */
export class SessionWebTransport {
  /** Settles when the session is open; rejects with the reason where it does not open. */
  readonly ready: Promise<undefined>;
  /** Resolves after a close by either side; rejects where the session failed to open or broke. */
  readonly closed: Promise<{ closeCode: number; reason: string }>;
  readonly datagrams: WebTransportDatagramDuplexStream;
  readonly incomingBidirectionalStreams: ReadableStream<WebTransportBidirectionalStream>;
  readonly incomingUnidirectionalStreams: ReadableStream<ReadableStream<Uint8Array>>;
  readonly congestionControl = "default";
  #session: Session | undefined;
  readonly #opening: Promise<Session>;
  /** A `close` before the session was open. */
  #closing: WebTransportCloseInfo | undefined;

  constructor(session: Session | Promise<Session>) {
    const opening = Promise.resolve(session).then((open) => {
      this.#session = open;
      if (this.#closing !== undefined) open.close(this.#closing.closeCode ?? 0, this.#closing.reason ?? "");
      return open;
    });
    this.#opening = opening;
    this.ready = opening.then(() => undefined);
    this.ready.catch(ignore);
    this.closed = opening.then(async (open) => {
      const { code, reason, by } = await open.closed;
      if (by === "transport") throw new WebTransportError(reason, { source: "session" });
      return { closeCode: code, reason };
    });
    this.closed.catch(ignore);
    this.datagrams = new WebTransportDatagramDuplexStream(opening);
    this.incomingBidirectionalStreams = incoming(opening, (open, take) => {
      open.onBidirectional((stream) => {
        if (take(createBidirectionalStreams(stream))) return;
        stream.send.reset(REFUSED);
        stream.receive.stop(REFUSED);
      });
    });
    this.incomingUnidirectionalStreams = incoming(opening, (open, take) => {
      open.onUnidirectional((stream) => {
        if (!take(createReadable(stream))) stream.stop(REFUSED);
      });
    });
  }

  get reliability(): "pending" | "supports-unreliable" | "reliable-only" {
    if (this.#session === undefined) return "pending";
    return this.#session.maxDatagramBytes > 0 ? "supports-unreliable" : "reliable-only";
  }

  async createBidirectionalStream(): Promise<WebTransportBidirectionalStream> {
    return createBidirectionalStreams(await this.#open((session) => session.openBidirectional()));
  }

  async createUnidirectionalStream(): Promise<WritableStream<Chunk>> {
    return createWritable(await this.#open((session) => session.openUnidirectional()));
  }

  close(info: WebTransportCloseInfo = {}): void {
    if (this.#session === undefined) this.#closing ??= info;
    else this.#session.close(info.closeCode ?? 0, info.reason ?? "");
  }

  async getStats(): Promise<WebTransportConnectionStats> {
    const session = await this.#opening;
    const stats = session.stats();
    const known = {
      smoothedRtt: stats.rttMs,
      estimatedSendRate: stats.deliveryRateBitsPerSecond,
      packetsSent: stats.packetsSent,
      packetsLost: stats.packetsLost,
      bytesSent: stats.bytesSent,
      bytesReceived: stats.bytesReceived,
    };
    const entries = Object.entries(known).filter(
      (entry): entry is [string, number] => entry[1] !== undefined,
    );
    return {
      ...Object.fromEntries(entries),
      datagrams: {
        droppedIncoming: this.datagrams.droppedIncoming + (stats.datagramsDroppedIncoming ?? 0),
        expiredOutgoing: this.datagrams.expiredOutgoing + (stats.datagramsDroppedOutgoing ?? 0),
      },
    };
  }

  async #open<T>(create: (session: Session) => Promise<T>): Promise<T> {
    const session = await this.#opening;
    try {
      return await create(session);
    } catch (error) {
      if (!(error instanceof StreamError)) throw error;
      throw new DOMException("the session is closed", "InvalidStateError");
    }
  }
}

/** A stream of what the peer opens; `take` says false where too many wait. It ends with the session. */
function incoming<T>(
  opening: Promise<Session>,
  listen: (session: Session, take: (stream: T) => boolean) => void,
): ReadableStream<T> {
  return new ReadableStream<T>(
    {
      start(controller) {
        let isOver = false;
        const end = () => {
          if (isOver) return;
          isOver = true;
          controller.close();
        };
        opening.then(
          (session) => {
            listen(session, (stream) => {
              if (isOver || (controller.desiredSize ?? 0) <= 0) return false;
              controller.enqueue(stream);
              return true;
            });
            void session.closed.then(end);
          },
          (error: unknown) => {
            isOver = true;
            controller.error(error);
          },
        );
      },
    },
    { highWaterMark: MAX_WAITING_STREAMS },
  );
}
