import type { QuicheConnection } from "./connection.js";
import { Trickle } from "./trickle.js";
import { WakeTimes } from "./wake-times.js";

/**
 * Connections without a session that have a turn in one round: their handshakes cost as much as dozens of packets, and
 * others would wait for all of those that begin at the same time.
 */
const NEWCOMERS_PER_ROUND = 2;

/** Where the host and those who use it are on the same thread. */
export interface SameThread {
  /** Handles what was asked for since the last time; returns whether there was any. */
  takeNews(): boolean;
  /** The host is broken: nothing that it carries goes on. */
  onError(error: unknown): void;
}

/**
 * Gives connections their turns: after the event loop has read everything that waits on the sockets, since
 * answering each packet at once costs several times as much; and when their timers are due.
 */
export class TurnLoop {
  #dirty = new Set<QuicheConnection>();
  readonly #times = new WakeTimes<QuicheConnection>((connection) => this.schedule(connection));
  /** The connections of the round that is under way. */
  #round: Set<QuicheConnection> = new Set();
  #scheduled = false;
  readonly #trickle = new Trickle();
  #packets = 0;
  #isStopped = false;

  constructor(
    /** Called in each round of turns after the reading, and after the sending. */
    readonly onRound: (nowMs: number) => void,
    readonly sameThread?: SameThread,
    /** Sleeps for so many milliseconds, or until the main thread has something to say. */
    readonly nap?: (ms: number) => void,
  ) {}

  /** No connection gets a turn any more. */
  get isStopped(): boolean {
    return this.#isStopped;
  }

  /** Connections that may be woken. */
  get timerCount(): number {
    return this.#times.size;
  }

  /** Schedules a turn of `connection`, or only a round without one. */
  schedule(connection?: QuicheConnection): void {
    if (connection !== undefined) this.#dirty.add(connection);
    if (this.#scheduled || this.#isStopped) return;
    this.#scheduled = true;
    setImmediate(this.#run);
  }

  /** Schedules a turn at `atMs`, in place of the one that was wanted before. */
  wake(connection: QuicheConnection, atMs: number): void {
    const nowMs = performance.now();
    if (atMs <= nowMs) this.schedule(connection);
    else this.#times.set(connection, atMs, nowMs);
  }

  forget(connection: QuicheConnection): void {
    this.#dirty.delete(connection);
    this.#times.delete(connection);
  }

  /** Ends all turns; returns the connections that would have had some. */
  stop(): ReadonlySet<QuicheConnection> {
    this.#isStopped = true;
    const left = new Set([...this.#dirty, ...this.#times.keys(), ...this.#round]);
    for (const connection of left) this.forget(connection);
    return left;
  }

  readonly #run = (): void => this.#guard(this.#readRound);

  #guard(part: () => void): void {
    if (this.#isStopped) return;
    try {
      part();
    } catch (error) {
      // A worker dies of it; the caller's thread must not.
      if (this.sameThread === undefined) throw error;
      this.sameThread.onError(error);
    }
  }

  readonly #readRound = (): void => {
    const nowMs = performance.now();
    // What is asked for meanwhile has its turn in this round, or in the next one at its end.
    this.sameThread?.takeNews();
    this.#round = this.#takeDirty();
    this.#packets = 0;
    for (const connection of this.#round) this.#packets += connection.read(nowMs);
    // What came is worked on by the main thread while this one sends.
    this.onRound(nowMs);
    if (this.sameThread === undefined) this.#sendRound();
    else queueMicrotask(this.#afterAnswers);
  };

  /**
   * Ticks come when no microtask is left: the application has answered what it can answer without waiting, and that travels
   * with the acknowledgements, without another turn of the event loop.
   */
  readonly #afterAnswers = (): void => process.nextTick(this.#runSends);

  readonly #runSends = (): void => this.#guard(this.#sendRound);

  readonly #sendRound = (): void => {
    const nowMs = performance.now();
    const round = this.#round;
    if (this.sameThread?.takeNews()) {
      for (const connection of this.#takeDirty()) {
        connection.read(nowMs);
        round.add(connection);
      }
    }
    for (const connection of round) connection.send(nowMs);
    this.#round = new Set();
    this.#scheduled = false;
    this.#times.settle(nowMs);
    this.onRound(nowMs);
    if (this.#dirty.size > 0) this.schedule();
    else if (this.nap !== undefined) this.#rest(nowMs, round, this.nap);
  };

  #rest(nowMs: number, round: ReadonlySet<QuicheConnection>, nap: (ms: number) => void): void {
    let isPaced = false;
    let hasLocal = false;
    for (const connection of round) {
      isPaced ||= connection.isHeldBack;
      hasLocal ||= connection.isLocal;
    }
    const ms = this.#trickle.napMs({ nowMs, packets: this.#packets, isPaced, hasLocal }, this.#times.nextMs);
    if (ms > 0) nap(ms);
  }

  /** Who has a turn now; newcomers come last, and the most of them in the next rounds. */
  #takeDirty(): Set<QuicheConnection> {
    const dirty = this.#dirty;
    this.#dirty = new Set();
    const newcomers: QuicheConnection[] = [];
    for (const connection of dirty) if (connection.isOpening) newcomers.push(connection);
    newcomers.forEach((connection, i) => {
      dirty.delete(connection);
      (i < NEWCOMERS_PER_ROUND ? dirty : this.#dirty).add(connection);
    });
    return dirty;
  }
}
