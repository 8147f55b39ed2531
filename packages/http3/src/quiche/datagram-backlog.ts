import { RECEIVE_QUEUE_DATAGRAMS } from "./config.js";
import { type DatagramPack, DatagramPacker } from "./datagram-pack.js";

/** Datagrams of one session in one pack: what the main thread reads of it before it sees the next session's. */
export const PACK_DATAGRAMS = 32;
/**
 * Each session may have as many datagrams waiting as there is room left for all (a dynamic threshold, Choudhury and Hahne
 * 1998): one alone has half, and however many flood, the others still find room.
 */
const MAX_WAITING_DATAGRAMS = 2 * RECEIVE_QUEUE_DATAGRAMS;
const NO_PREFIX = new Uint8Array(0);

interface Lane {
  readonly packs: DatagramPack[];
  readonly packer: DatagramPacker;
  waiting: number;
}

/** One session's datagrams on their way to the main thread. */
export interface SessionPack {
  readonly session: number;
  readonly pack: DatagramPack;
}

/** The datagrams that wait for the main thread, of all sessions, which take turns. */
export class DatagramBacklog {
  readonly #lanes = new Map<number, Lane>();
  #waiting = 0;

  /** Datagrams that wait. */
  get waiting(): number {
    return this.#waiting;
  }

  /** Copies `datagram`; `false` where too many wait, of its session or of all. */
  push(session: number, datagram: Uint8Array): boolean {
    let lane = this.#lanes.get(session);
    if (lane === undefined) {
      lane = { packs: [], packer: new DatagramPacker(), waiting: 0 };
      this.#lanes.set(session, lane);
    }
    if (lane.waiting >= MAX_WAITING_DATAGRAMS - this.#waiting) return false;
    if (lane.packer.count >= PACK_DATAGRAMS || !lane.packer.add(NO_PREFIX, datagram)) {
      const full = lane.packer.take();
      if (full !== undefined) lane.packs.push(full);
      lane.packer.add(NO_PREFIX, datagram);
    }
    lane.waiting += 1;
    this.#waiting += 1;
    return true;
  }

  /**
   * One pack of each session that has any; first the sessions with little, which wait for those with much otherwise. Where
   * there is no room, theirs alone: a session with more than one pack waits until the main thread has done some of its work.
   */
  takeTurn(hasRoom: boolean): SessionPack[] {
    const packs: (SessionPack & { readonly waiting: number })[] = [];
    if (this.#waiting === 0) return packs;
    for (const [session, lane] of this.#lanes) {
      const { waiting } = lane;
      if (!hasRoom && waiting > PACK_DATAGRAMS) continue;
      const pack = this.#take(lane);
      if (pack !== undefined) packs.push({ session, pack, waiting });
    }
    return packs.length < 2 ? packs : packs.sort((a, b) => a.waiting - b.waiting);
  }

  /** All that waits of one session. */
  takeAll(session: number): DatagramPack[] {
    const packs: DatagramPack[] = [];
    const lane = this.#lanes.get(session);
    for (let pack = lane && this.#take(lane); pack !== undefined; pack = this.#take(lane!)) packs.push(pack);
    return packs;
  }

  /** Forgets a session of which nothing waits. */
  delete(session: number): void {
    this.#lanes.delete(session);
  }

  #take(lane: Lane): DatagramPack | undefined {
    const pack = lane.packs.shift() ?? lane.packer.take();
    if (pack === undefined) return undefined;
    lane.waiting -= pack.count;
    this.#waiting -= pack.count;
    return pack;
  }
}
