/** What happened in a round of turns. */
export interface RoundFacts {
  readonly nowMs: number;
  /** Packets that came. */
  readonly packets: number;
  /** Some connection waits for its pacer. */
  readonly isPaced: boolean;
  /** Some connection's peer is on this machine: its round trips are shorter than a sleep. */
  readonly hasLocal: boolean;
}

/** So long a thread sleeps at most, beside the delays of a path that leads somewhere. */
const MAX_NAP_MS = 2;
/** What is shorter is not worth it. */
const MIN_NAP_MS = 0.2;
/** So many rounds, with no more than so long between one and the next, make a trickle; a tensor of a few packets is none. */
const TRICKLE_ROUNDS = 8;
const TRICKLE_GAP_MS = 4;
/** Rounds with more packets are large enough. */
const LARGE_ROUND_PACKETS = 16;
/** So long after a packet from this machine the thread stays awake. */
const LOCAL_MS = 100;

/**
 * Judges when a thread should sleep for a moment although packets come. A path of 20 Mbit/s brings one each half
 * millisecond, and pacing answers in the same rhythm: to wake for each of them costs several times as much as to take two
 * or three at once.
 */
export class Trickle {
  #rounds = 0;
  #lastMs = Number.NEGATIVE_INFINITY;
  #localMs = Number.NEGATIVE_INFINITY;

  /** How long to sleep after a round, at most until `dueMs`; 0 for not at all. */
  napMs({ nowMs, packets, isPaced, hasLocal }: RoundFacts, dueMs: number): number {
    if (hasLocal) this.#localMs = nowMs;
    const isFollowing = nowMs - this.#lastMs <= TRICKLE_GAP_MS;
    this.#lastMs = nowMs;
    this.#rounds = isFollowing ? this.#rounds + 1 : 0;
    if (this.#rounds < TRICKLE_ROUNDS || packets >= LARGE_ROUND_PACKETS) return 0;
    if ((packets === 0 && !isPaced) || nowMs - this.#localMs < LOCAL_MS) return 0;
    const napMs = Math.min(MAX_NAP_MS, dueMs - nowMs);
    return napMs < MIN_NAP_MS ? 0 : napMs;
  }
}
