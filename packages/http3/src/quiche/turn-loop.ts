import type { QuicheConnection } from "./connection.js";

/**
 * Gives connections their turns: after the event loop has read everything that waits on the sockets, since
 * answering each packet at once costs several times as much; and when their timers are due.
 */
export class TurnLoop {
  readonly #dirty = new Set<QuicheConnection>();
  readonly #timers = new Map<QuicheConnection, { timer: NodeJS.Timeout; atMs: number }>();
  #scheduled = false;

  constructor(
    /** Called in each round of turns after the reading, and after the sending. */
    readonly onRound: (nowMs: number) => void,
  ) {}

  get timerCount(): number {
    return this.#timers.size;
  }

  /** Schedules a turn of `connection`, or only a round without one. */
  schedule(connection?: QuicheConnection): void {
    if (connection !== undefined) this.#dirty.add(connection);
    if (this.#scheduled) return;
    this.#scheduled = true;
    setImmediate(() => this.#run());
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

  #run(): void {
    this.#scheduled = false;
    const nowMs = performance.now();
    const round = [...this.#dirty];
    this.#dirty.clear();
    for (const connection of round) connection.read(nowMs);
    // What came is worked on by the main thread while this one sends.
    this.onRound(nowMs);
    for (const connection of round) connection.send(nowMs);
    this.onRound(nowMs);
  }
}
