import type { PathStats } from "@matrixai/quic/native/types.js";
import { COMMON_PACKET_BYTES } from "../path-mtu/packet-size-search.js";
import { Pacer } from "./pacer.js";
import { PathModel } from "./path-model.js";

/** What a connection knows of itself when its pacing is looked at. */
export interface PacingFacts {
  /** Pacer or socket stopped the last turn. */
  readonly isHeldBack: boolean;
  readonly lastReceivedMs: number;
  /** What the engine takes for its packet size. */
  readonly windowUnitBytes: number;
}

/** How fast a connection sends: the model of its path drives the pacer. */
export class PathPacing {
  readonly #pacer = new Pacer();
  readonly #model = new PathModel(COMMON_PACKET_BYTES);
  #packetsLost = 0;

  /** Least round trip of the last seconds; infinity until the first update. */
  get minRttMs(): number {
    return this.#model.minRttMs;
  }

  budgetBytes(nowMs: number): number {
    return this.#pacer.budgetBytes(nowMs);
  }

  handleSent(bytes: number): void {
    this.#pacer.handleSent(bytes);
  }

  /** Returns whether something has to be sent that will be acknowledged, to free the engine's window. */
  update(nowMs: number, path: PathStats, facts: PacingFacts): boolean {
    const { isHeldBack, lastReceivedMs, windowUnitBytes } = facts;
    this.#model.update(nowMs, {
      rttMs: path.rtt,
      deliveryBytesPerMs: path.deliveryRate / 1000,
      packetsSent: path.sent,
      packetsLost: path.lost,
      isHeldBack,
      lastReceivedMs,
    });
    const { windowBytes, minRttMs, pacedRttMs } = this.#model;
    // Where the engine's window is no larger than it should be, it is the limit itself.
    const isLoose = windowUnitBytes > 2 * COMMON_PACKET_BYTES;
    this.#pacer.update(isLoose ? windowBytes : path.cwnd, pacedRttMs, minRttMs);
    // The engine's window stays at what was in flight when a packet was found lost, until something sent after that is
    // acknowledged. Without this the next burst would be that something.
    const isStuck = path.lost > this.#packetsLost && path.cwnd < 2 * windowBytes && !isHeldBack;
    this.#packetsLost = path.lost;
    return isStuck;
  }
}
