import type { ReceiveStream, SendStream, Session } from "@sluice/transport";
import type { DatagramStats, SessionOwner, StreamOrder, Waiting } from "./contract.js";
import { Http3Stream } from "./http3-stream.js";

/** What may wait in the library to be read; more is dropped, or refused. */
const MAX_WAITING_DATAGRAMS = 1024;
const MAX_WAITING_DATAGRAM_BYTES = 1 << 20;
const MAX_WAITING_STREAMS = 256;
/** Code of a stream that nobody takes. */
const REFUSED = 0;
/** Stands for no group. */
const NO_GROUP = 0n;

/** A session as `@fails-components/webtransport` drives it, over one of ours. */
export class Http3Session {
  jsobj: SessionOwner | undefined;
  readonly #session: Session;

  constructor(session: Session) {
    this.#session = session;
  }

  /** To be called when the library has built its end: tells it that the session is open, and what happens in it. */
  start(): void {
    const owner = this.jsobj;
    if (owner === undefined) return;
    owner.onReady({});
    this.#session.onDatagrams((batch) => {
      for (const datagram of batch) deliver(owner, datagram);
    });
    this.#session.onBidirectional(({ send, receive }) => this.#accept(owner, send, receive));
    this.#session.onUnidirectional((receive) => this.#accept(owner, undefined, receive));
    void this.#session.closed.then(({ code, reason }) => {
      try {
        owner.onClose({ errorcode: code, error: reason });
      } catch {
        // Version 1.6.8 stumbles over incoming streams that were cancelled before.
        owner.closedResolve?.({ closeCode: code, reason });
      }
    });
  }

  writeDatagram(datagram: Uint8Array): { code: string; message?: string } {
    switch (this.#session.sendDatagram(datagram)) {
      case "sent":
        return { code: "success" };
      case "queue-full":
        return { code: "blocked" };
      case "too-big":
        return { code: "tooBig" };
      case "closed":
        return { code: "internalError", message: "the session is closed" };
    }
  }

  getMaxDatagramSize(): number {
    return this.#session.maxDatagramBytes;
  }

  orderBidiStream(order: StreamOrder): boolean {
    this.#session.openBidirectional().then(
      ({ send, receive }) => this.#hand(send, receive, false, order),
      () => {}, // The session is closed, which rejects what was ordered.
    );
    return true;
  }

  orderUnidiStream(order: StreamOrder): boolean {
    this.#session.openUnidirectional().then(
      (send) => this.#hand(send, undefined, false, order),
      () => {},
    );
    return true;
  }

  orderSessionStats(): void {
    const { rttMs, deliveryRateBitsPerSecond } = this.#session.stats();
    this.jsobj?.onSessionStats({
      ...this.#datagramStats(),
      minRtt: undefined,
      smoothedRtt: rttMs,
      rttVariation: undefined,
      estimatedSendRateBps: deliveryRateBitsPerSecond,
    });
  }

  orderDatagramStats(): void {
    this.jsobj?.onDatagramStats(this.#datagramStats());
  }

  /** Advice to the peer that the session below cannot give. */
  notifySessionDraining(): void {}

  close({ code, reason }: { readonly code: number; readonly reason: string }): void {
    this.#session.close(code, reason);
  }

  #datagramStats(): DatagramStats {
    return {
      timestamp: performance.timeOrigin + performance.now(),
      expiredOutgoing: this.#session.stats().datagramsDroppedOutgoing,
      lostOutgoing: undefined,
    };
  }

  #accept(owner: SessionOwner, send: SendStream | undefined, receive: ReceiveStream): void {
    const waiting = send === undefined ? owner.incomUniDiController : owner.incomBiDiController;
    if (hasRoom(waiting, MAX_WAITING_STREAMS)) {
      try {
        this.#hand(send, receive, true, {});
        return;
      } catch {
        // The application has cancelled the incoming streams.
      }
    }
    send?.reset(REFUSED);
    receive.stop(REFUSED);
  }

  #hand(
    send: SendStream | undefined,
    receive: ReceiveStream | undefined,
    incoming: boolean,
    { sendOrder, sendGroup }: StreamOrder,
  ): void {
    const stream = new Http3Stream(send, receive);
    this.jsobj?.onStream({
      stream,
      bidirectional: send !== undefined && receive !== undefined,
      incoming,
      sendOrder: sendOrder ?? 0,
      sendGroupId: sendGroup?._sendGroupId ?? NO_GROUP,
    });
    stream.watchAbort();
  }
}

function hasRoom(waiting: Waiting | undefined, limit: number): boolean {
  return waiting === undefined || (waiting.desiredSize ?? Number.NEGATIVE_INFINITY) > -limit;
}

function deliver(owner: SessionOwner, datagram: Uint8Array): void {
  if (!hasRoom(owner.incomDatagramController_, MAX_WAITING_DATAGRAMS)) return;
  if (!hasRoom(owner.incomDatagramControllerBytes_, MAX_WAITING_DATAGRAM_BYTES)) return;
  try {
    owner.onDatagramReceived({ datagram });
  } catch {
    // Too large for the buffer that the reader gave, or nobody reads any more: lost, as datagrams may be.
  }
}
