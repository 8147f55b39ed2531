import { MAX_OPEN_STREAMS, MuxViolation, type StreamKind } from "./mux-frame.js";
import type { MuxReceiveStream, MuxSendStream } from "./mux-stream.js";
import { StreamError } from "./session.js";

/** Halves of one stream; one that has ended, or was never there, is `undefined`. */
interface Halves {
  send: MuxSendStream | undefined;
  receive: MuxReceiveStream | undefined;
}

interface Waiting {
  resolve(): void;
  reject(error: Error): void;
}

/** One kind of streams: what we opened and what the peer opened. */
interface KindState {
  nextOurs: number;
  /** Streams that we may open now. */
  openCredit: number;
  waiters: Waiting[];
  nextTheirs: number;
  /** Streams that the peer may open now. */
  allowedTheirs: number;
  /** Streams of the peer that have ended and were not granted again. */
  ended: number;
}

/** Stream numbers are u32. */
const MAX_STREAM_ID = 0xffff_ffff;
const STEP = 4;

/** Bit 1 of a stream's number (RFC 9000 2.1). */
export function isUnidirectional(id: number): boolean {
  return (id & 2) !== 0;
}

/** The open streams of a session, their numbers, and the credit for more. */
export class MuxStreamTable {
  readonly #streams = new Map<number, Halves>();
  readonly #ourBit: number;
  readonly #kinds: Readonly<Record<StreamKind, KindState>>;
  #isClosed = false;

  constructor(
    role: "client" | "server",
    readonly grantOpen: (kind: StreamKind, count: number) => void,
  ) {
    this.#ourBit = role === "client" ? 0 : 1;
    const create = (kindBit: number): KindState => ({
      nextOurs: kindBit | this.#ourBit,
      openCredit: MAX_OPEN_STREAMS,
      waiters: [],
      nextTheirs: kindBit | (1 - this.#ourBit),
      allowedTheirs: MAX_OPEN_STREAMS,
      ended: 0,
    });
    this.#kinds = { bidirectional: create(0), unidirectional: create(2) };
  }

  add(id: number, halves: Halves): void {
    this.#streams.set(id, halves);
  }

  /** Resolves when one more stream may be opened, and takes the credit for it. */
  async openCredit(kind: StreamKind): Promise<void> {
    const state = this.#kinds[kind];
    while (state.openCredit === 0) {
      await new Promise<void>((resolve, reject) => state.waiters.push({ resolve, reject }));
    }
    state.openCredit -= 1;
  }

  nextId(kind: StreamKind): number {
    const state = this.#kinds[kind];
    const id = state.nextOurs;
    if (id > MAX_STREAM_ID) throw new RangeError("the session has no more stream numbers");
    state.nextOurs += STEP;
    return id;
  }

  handleOpenCredit(kind: StreamKind, count: number): void {
    const state = this.#kinds[kind];
    state.openCredit += count;
    if (!Number.isSafeInteger(state.openCredit)) throw new MuxViolation("credit without end");
    for (const waiter of state.waiters.splice(0, count)) waiter.resolve();
  }

  /** Checks an OPEN of the peer. */
  checkOpenedByPeer(id: number): void {
    const state = this.#kindOf(id);
    if (id !== state.nextTheirs) throw new MuxViolation(`OPEN of stream ${id}, not ${state.nextTheirs}`);
    if (state.allowedTheirs === 0) throw new MuxViolation("more streams than their credit");
    state.nextTheirs += STEP;
    state.allowedTheirs -= 1;
  }

  /** The half that may get DATA, FIN or RESET now. */
  receiving(id: number): MuxReceiveStream {
    const receive = this.#streams.get(id)?.receive;
    if (receive === undefined) throw new MuxViolation(`stream ${id} carries nothing from the peer`);
    return receive;
  }

  /** The half that gets STOP or STREAM_CREDIT; `undefined` where it has ended. */
  sending(id: number): MuxSendStream | undefined {
    const isOurs = (id & 1) === this.#ourBit;
    const { nextOurs, nextTheirs } = this.#kindOf(id);
    const wasOpened = id < (isOurs ? nextOurs : nextTheirs);
    if (!wasOpened || (!isOurs && isUnidirectional(id))) {
      throw new MuxViolation(`stream ${id} carries nothing to the peer`);
    }
    return this.#streams.get(id)?.send;
  }

  /** One half has ended on the wire. */
  forget(id: number, half: keyof Halves): void {
    const halves = this.#streams.get(id);
    if (halves === undefined) return;
    halves[half] = undefined;
    if (halves.send !== undefined || halves.receive !== undefined) return;
    this.#streams.delete(id);
    if ((id & 1) === this.#ourBit) return;
    const state = this.#kindOf(id);
    state.ended += 1;
    if (state.ended < MAX_OPEN_STREAMS / 4) return;
    const count = state.ended;
    state.ended = 0;
    state.allowedTheirs += count;
    this.grantOpen(isUnidirectional(id) ? "unidirectional" : "bidirectional", count);
  }

  /** Fails every stream that is open, and everybody who waits to open one. */
  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    const error = new StreamError("closed", 0);
    for (const { send, receive } of [...this.#streams.values()]) {
      send?.fail(error);
      receive?.fail(error);
    }
    this.#streams.clear();
    for (const { waiters } of Object.values(this.#kinds)) {
      for (const waiter of waiters.splice(0)) waiter.reject(error);
    }
  }

  #kindOf(id: number): KindState {
    return this.#kinds[isUnidirectional(id) ? "unidirectional" : "bidirectional"];
  }
}
