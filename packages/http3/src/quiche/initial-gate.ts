import { randomBytes } from "node:crypto";
import quiche from "@matrixai/quic/native/quiche.js";
import type { Admission, Place } from "../admission/admission.js";
import { isLoopback } from "../admission/source-key.js";
import { BASE_PACKET_BYTES } from "../path-mtu/packet-size-search.js";
import type { FigureReport } from "./figure-report.js";
import { CONNECTION_ID_BYTES, type PacketHeader } from "./packet-header.js";
import { RetryTokens } from "./retry-tokens.js";
import type { Address } from "./udp-socket.js";

/**
 * A client of this machine answers its Retry within this, also while both processes are busy starting. It decides what
 * a connection is able to send; what it sends follows from the round trips that are measured later.
 */
const NEAR_MS = 30;

/** How a connection begins. */
export interface Entry {
  /** The id that the client uses from now on. */
  readonly id: Uint8Array;
  /** The id that the client chose first, where it was sent a Retry since. */
  readonly originalId: Uint8Array | undefined;
  /** The id that the client's first packets carry, where it is another one. */
  readonly firstId: Uint8Array | undefined;
  readonly place: Place;
  /** The client seems to run on this machine. */
  readonly isNear: boolean;
}

/** Decides about packets that belong to no connection: who may open one, and who has to prove its address first. */
export class InitialGate {
  readonly #tokens = new RetryTokens(randomBytes, tokenTimeMs());

  constructor(
    readonly admission: Admission,
    readonly figures: FigureReport,
  ) {}

  /** `undefined`: nothing opens. `reply` sends what `write` makes back to the sender. */
  decide(
    header: PacketHeader,
    packet: Buffer,
    from: Address,
    reply: (write: (out: Buffer) => number) => void,
  ): Entry | undefined {
    // RFC 9000 14.1
    if (!header.isLong || header.version === 0 || packet.byteLength < BASE_PACKET_BYTES) return undefined;
    if (header.version !== quiche.PROTOCOL_VERSION) {
      // RFC 9000 6.1
      reply((out) => quiche.negotiateVersion(header.sourceId, header.destinationId, out));
      return undefined;
    }
    // RFC 9000 7.2: a client's first destination id has at least 8 bytes.
    if (!header.isInitial || header.destinationId.byteLength < 8) return undefined;
    const { host } = from;
    const token = tokenOf(packet);
    if (token === undefined) return undefined;
    const address = `${host}:${from.port}`;
    const nowMs = tokenTimeMs();
    const retryId = header.destinationId;
    const proof = token.byteLength === 0 ? undefined : this.#tokens.open(address, token, retryId, nowMs);
    // RFC 9000 8.1.3: an invalid token is as good as none; it may come from another server that used this address. A
    // client whose token was ours and has expired does not answer a second Retry (17.2.5.2), and gives up.
    if (token.byteLength > 0 && proof === undefined) this.figures.addRefusal("bad-token");
    const isProven = proof !== undefined;
    const verdict = this.admission.decide(host, isProven, performance.now());
    if (verdict === "retry") {
      this.#retry(header, address, nowMs, reply);
      return undefined;
    }
    if (verdict !== "accept") {
      this.figures.addRefusal(verdict);
      return undefined;
    }
    const place = this.admission.take(host, isProven);
    if (proof === undefined) {
      const id = randomBytes(CONNECTION_ID_BYTES);
      return { id, originalId: undefined, firstId: retryId, place, isNear: false };
    }
    this.#tokens.spend(retryId, nowMs);
    const isNear = isLoopback(host) && proof.ageMs < NEAR_MS;
    return { id: retryId, originalId: proof.originalId, firstId: undefined, place, isNear };
  }

  #retry(
    header: PacketHeader,
    address: string,
    nowMs: number,
    reply: (write: (out: Buffer) => number) => void,
  ): void {
    this.figures.addRetry();
    const retryId = randomBytes(CONNECTION_ID_BYTES);
    const token = this.#tokens.issue(address, header.destinationId, retryId, nowMs);
    reply((out) => quiche.retry(header.sourceId, header.destinationId, retryId, token, header.version, out));
  }
}

/** The time in tokens: whole, and never set back as a wall clock is. */
function tokenTimeMs(): number {
  return Math.floor(performance.now());
}

/** The token of an Initial packet, empty where it has none; `undefined` where the packet is malformed. */
function tokenOf(packet: Buffer): Uint8Array | undefined {
  try {
    return quiche.Header.fromSlice(packet, CONNECTION_ID_BYTES).token ?? new Uint8Array(0);
  } catch {
    return undefined;
  }
}
