import { type Rate, RateTable } from "./rate-table.js";
import type { RefusalReason } from "./refusals.js";
import { RetrySwitch } from "./retry-switch.js";
import { isLoopback, sourceKey } from "./source-key.js";

/** Whether clients prove their address before anything is kept for them (RFC 9000 8.1.2). */
export type RetryMode = "always" | "under-load" | "never";

/** Who may connect. */
export interface AdmissionLimits {
  readonly retry: RetryMode;
  /** Connections with a session at the same time. */
  readonly maxConnections: number;
  /** Of which one IPv4 address or one IPv6 /64 may have so many. */
  readonly maxConnectionsPerSource: number;
  /** New connections of one source. */
  readonly newConnectionsPerSource: Rate;
  /** Takes peers on this machine without the limits for each source. */
  readonly exemptLoopback: boolean;
}

/** Connections beyond each limit that may shake hands, to be refused with a status instead of silence. */
export interface SpareConnections {
  readonly total: number;
  readonly perSource: number;
}

/** Sources whose rate is remembered; about 1 MB. */
const MAX_SOURCES = 4096;
/** A server that has no room (RFC 9110 15.6.4), and a client that takes too much of it (RFC 6585 4). */
const STATUS_UNAVAILABLE = 503;
const STATUS_TOO_MANY = 429;
/**
 * Stands before sources that anybody may have forged. They are counted apart, so that somebody who sends under the
 * address of a client cannot use up what that client may have.
 */
const UNPROVEN = "?";

/** Of a connection of which nothing was heard for so long (spec 5.7). */
const GIVE_WAY_MS = 4_000;

/** Who holds a place. */
export interface Occupant {
  /** For how long nothing was heard of it. */
  silentMs(nowMs: number): number;
  /** Its place is somebody else's: it ends. */
  giveWay(): void;
}

/** What a session that gives way is told: `peerSilent` of the registry. */
export const GIVEN_WAY = { code: 19, reason: "nothing was heard of the client, and another needs the room" };

/** The place of one connection, from its first packet to its end. */
export interface Place {
  /** Whoever holds it gives way where there is no room and nothing was heard of it for long. */
  occupy(occupant: Occupant): void;
  /** The handshake is done: the address is the client's own (RFC 9000 8.1). */
  handleEstablished(): void;
  /**
   * Why a session on it must be refused, with the HTTP status that says so; `undefined` where it may open: whoever was silent
   * for longest has given way, if need be.
   */
  refusal(nowMs: number): { readonly reason: RefusalReason; readonly status: number } | undefined;
  /** The connection is gone. Idempotent. */
  free(): void;
}

/** A place that somebody holds. */
interface Held {
  readonly occupant: Occupant;
  readonly key: () => string;
  readonly free: () => void;
}

/** Decides who may connect, and counts who is there. Pure: it has no sockets and no clock. */
export class Admission {
  readonly #open = new Map<string, number>();
  readonly #rates: RateTable;
  readonly #switch = new RetrySwitch();
  readonly #held = new Set<Held>();
  #connections = 0;
  #handshakes = 0;

  constructor(
    readonly limits: AdmissionLimits,
    readonly spare: SpareConnections,
  ) {
    this.#rates = new RateTable(limits.newConnectionsPerSource, MAX_SOURCES);
  }

  get connections(): number {
    return this.#connections;
  }

  get handshakes(): number {
    return this.#handshakes;
  }

  /**
   * What to do about a client that is not known yet. `isProven`: it has shown that it receives at `address`.
   * `accept` uses up a part of the source's rate: {@link take} has to follow.
   */
  decide(address: string, isProven: boolean, nowMs: number): "accept" | "retry" | RefusalReason {
    const { retry, maxConnections, maxConnectionsPerSource, exemptLoopback } = this.limits;
    if (this.#connections >= maxConnections + this.spare.total) return "server-full";
    if (!isProven && retry === "always") return "retry";
    if (!isProven && retry === "under-load" && this.#switch.decide(this.#handshakes, nowMs)) return "retry";
    if (exemptLoopback && isLoopback(address)) return "accept";
    const key = keyOf(address, isProven);
    const mayHave = maxConnectionsPerSource + this.spare.perSource;
    const isFull = (this.#open.get(key) ?? 0) >= mayHave;
    if (!isFull && this.#rates.take(key, nowMs)) return "accept";
    if (!isProven && retry === "under-load") return "retry";
    return isFull ? "source-full" : "source-rate";
  }

  /** Takes a place for a connection that {@link decide} accepts. */
  take(address: string, isProven: boolean): Place {
    let key = keyOf(address, isProven);
    let isShakingHands = true;
    let isFree = false;
    let held: Held | undefined;
    this.#connections += 1;
    this.#handshakes += 1;
    this.#count(key, 1);
    const endHandshake = () => {
      if (isShakingHands) this.#handshakes -= 1;
      isShakingHands = false;
    };
    const free = () => {
      if (isFree) return;
      isFree = true;
      if (held) this.#held.delete(held);
      endHandshake();
      this.#connections -= 1;
      this.#count(key, -1);
    };
    return {
      occupy: (occupant) => {
        if (isFree) return;
        held = { occupant, key: () => key, free };
        this.#held.add(held);
      },
      handleEstablished: () => {
        if (isFree) return;
        endHandshake();
        this.#count(key, -1);
        key = keyOf(address, true);
        this.#count(key, 1);
      },
      refusal: (nowMs) => {
        const { maxConnections, maxConnectionsPerSource, exemptLoopback } = this.limits;
        if (this.#connections > maxConnections && !this.#makeRoom(nowMs))
          return { reason: "server-full", status: STATUS_UNAVAILABLE };
        if (exemptLoopback && isLoopback(address)) return undefined;
        if ((this.#open.get(key) ?? 0) <= maxConnectionsPerSource) return undefined;
        return this.#makeRoom(nowMs, key) ? undefined : { reason: "source-full", status: STATUS_TOO_MANY };
      },
      free,
    };
  }

  /** spec 5.7: whoever was silent for longest, of all or of one source, gives way. */
  #makeRoom(nowMs: number, key?: string): boolean {
    let longest: Held | undefined;
    let longestMs = GIVE_WAY_MS;
    for (const held of this.#held) {
      const silentMs = held.occupant.silentMs(nowMs);
      if (silentMs < longestMs || (key !== undefined && held.key() !== key)) continue;
      longest = held;
      longestMs = silentMs;
    }
    longest?.free();
    longest?.occupant.giveWay();
    return longest !== undefined;
  }

  #count(key: string, change: 1 | -1): void {
    const count = (this.#open.get(key) ?? 0) + change;
    if (count === 0) this.#open.delete(key);
    else this.#open.set(key, count);
  }
}

function keyOf(address: string, isProven: boolean): string {
  return isProven ? sourceKey(address) : UNPROVEN + sourceKey(address);
}
