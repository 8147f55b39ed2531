import type { QuicheConnection } from "./connection.js";

const NO_CONNECTIONS: ReadonlySet<QuicheConnection> = new Set();

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
  readonly #timers = new Map<QuicheConnection, { timer: NodeJS.Timeout; atMs: number }>();
  /** The connections of the round that is under way. */
  #round: ReadonlySet<QuicheConnection> = NO_CONNECTIONS;
  #scheduled = false;
  #isStopped = false;

  constructor(
    /** Called in each round of turns after the reading, and after the sending. */
    readonly onRound: (nowMs: number) => void,
    readonly sameThread?: SameThread,
  ) {}

  /** No connection gets a turn any more. */
  get isStopped(): boolean {
    return this.#isStopped;
  }

  get timerCount(): number {
    return this.#timers.size;
  }

  /** Schedules a turn of `connection`, or only a round without one. */
  schedule(connection?: QuicheConnection): void {
    if (connection !== undefined) this.#dirty.add(connection);
    if (this.#scheduled || this.#isStopped) return;
    this.#scheduled = true;
    setImmediate(this.#run);
  }

  /** Schedules a turn at `atMs`. A timer that is early enough stays: moving it for each packet would cost more. */
  wake(connection: QuicheConnection, atMs: number): void {
    const nowMs = performance.now();
    if (atMs <= nowMs) {
      this.schedule(connection);
      return;
    }
    const armed = this.#timers.get(connection);
    if (armed !== undefined) {
      if (armed.atMs <= atMs) return;
      clearTimeout(armed.timer);
      this.#timers.delete(connection);
    }
    if (atMs === Number.POSITIVE_INFINITY) return;
    const timer = setTimeout(
      () => {
        this.#timers.delete(connection);
        this.schedule(connection);
      },
      Math.max(1, atMs - nowMs),
    );
    this.#timers.set(connection, { timer, atMs });
  }

  forget(connection: QuicheConnection): void {
    this.#dirty.delete(connection);
    const armed = this.#timers.get(connection);
    if (armed !== undefined) clearTimeout(armed.timer);
    this.#timers.delete(connection);
  }

  /** Ends all turns; returns the connections that would have had some. */
  stop(): ReadonlySet<QuicheConnection> {
    this.#isStopped = true;
    const left = new Set([...this.#dirty, ...this.#timers.keys(), ...this.#round]);
    for (const connection of left) this.forget(connection);
    return left;
  }

  readonly #run = (): void => {
    if (this.#isStopped) return;
    try {
      this.#turn(performance.now());
    } catch (error) {
      // A worker dies of it; the caller's thread must not.
      if (this.sameThread === undefined) throw error;
      this.sameThread.onError(error);
    }
  };

  #turn(nowMs: number): void {
    // What is asked for meanwhile has its turn in this round, or in the next one at its end.
    this.sameThread?.takeNews();
    const round = this.#takeDirty();
    this.#round = round;
    for (const connection of round) connection.read(nowMs);
    // What came is worked on by the main thread while this one sends.
    this.onRound(nowMs);
    if (this.sameThread?.takeNews()) {
      // It was answered at once: that travels with the acknowledgements.
      for (const connection of this.#takeDirty()) {
        connection.read(nowMs);
        round.add(connection);
      }
    }
    for (const connection of round) connection.send(nowMs);
    this.#round = NO_CONNECTIONS;
    this.#scheduled = false;
    this.onRound(nowMs);
    if (this.#dirty.size > 0) this.schedule();
  }

  #takeDirty(): Set<QuicheConnection> {
    const dirty = this.#dirty;
    this.#dirty = new Set();
    return dirty;
  }
}
