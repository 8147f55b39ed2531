import type { RemoteInfo, Socket } from "node:dgram";
import { performance } from "node:perf_hooks";
import { corruptPacket } from "./corrupt-packet.js";
import { createDueQueue } from "./due-queue.js";
import { createLink, type Link, type LinkCounters } from "./link.js";
import { checkLinkParameters, type LinkParameters } from "./link-parameters.js";
import { createRandom } from "./random.js";
import {
  bindSocket,
  type Family,
  HEADER_BYTES,
  type HostPort,
  openSocket,
  resolveHost,
} from "./udp-socket.js";

export interface RelayOptions {
  readonly listen: HostPort;
  readonly target: HostPort;
  /** From the clients to the target. All clients share it, as they would share one access link. */
  readonly up: LinkParameters;
  /** From the target to the clients. */
  readonly down: LinkParameters;
  /** What is lost, jittered and reordered follows from it. */
  readonly seed: number | string;
  /** Most client addresses served at a time, each with a socket of its own. Default 256. */
  readonly maxPeers?: number;
  /** A client that was silent this long in both directions is forgotten, in milliseconds. Default 60,000. */
  readonly idleMs?: number;
  /** Most bytes held in both directions together, 256 for each packet's bookkeeping included. Default 64 MiB. */
  readonly maxHeldBytes?: number;
  /** Called once, before the first packet of a client is treated. */
  readonly onFirstPacket?: () => void;
}

/**
 * Counts of one direction since the start. The link's own, and what the relay did:
 * `offered` + `duplicated` = `forwarded` + `held` + `droppedLoss` + `droppedQueue` + `droppedMtu` + `droppedPeer` +
 * `droppedSocket`; a packet in `droppedOverflow` or `droppedPeers` was never offered to the link.
 */
export interface RelayDirectionStats extends LinkCounters {
  /** Handed to the socket at their time. */
  readonly forwarded: number;
  /** Waiting for their time now. */
  readonly held: number;
  /** Refused because `maxHeldBytes` were held. */
  readonly droppedOverflow: number;
  /** Refused because `maxPeers` clients were being served. */
  readonly droppedPeers: number;
  /** Their client was forgotten, or the relay was closed, before their time. */
  readonly droppedPeer: number;
  /** The system did not take them. */
  readonly droppedSocket: number;
}

export interface RelayStats {
  readonly up: RelayDirectionStats;
  readonly down: RelayDirectionStats;
  readonly peers: number;
}

export interface Relay {
  /** Where it listens, with the port that the system chose. */
  readonly address: HostPort;
  stats(): RelayStats;
  /** Changes the fields that are present, from now on. @throws RangeError that names the field. */
  set(change: { readonly up?: LinkParameters; readonly down?: LinkParameters }): void;
  /**
   * Gives every present client a new source port towards the target, as a NAT does that forgot its mapping; what the
   * target still sends to the old ports is lost. Returns the number of clients.
   */
  rebind(): Promise<number>;
  /** Forgets what is held and frees the ports. Idempotent. */
  close(): Promise<void>;
}

interface Peer {
  readonly address: string;
  readonly port: number;
  upstream: Socket;
  lastUsedMs: number;
  forgotten: boolean;
}

interface Direction {
  readonly link: Link;
  forwarded: number;
  held: number;
  droppedOverflow: number;
  droppedPeers: number;
  droppedPeer: number;
  droppedSocket: number;
}

interface HeldPacket {
  readonly payload: Uint8Array;
  readonly peer: Peer;
  readonly direction: Direction;
}

/** What the system may still have to send before the relay drops instead of handing over more. */
const MAX_SEND_QUEUE_BYTES = 8 * 1024 * 1024;
/** What holding a packet costs besides its bytes, so that tiny packets cannot fill the memory either. */
const HELD_PACKET_OVERHEAD_BYTES = 256;

function checkCount(name: string, value: number): number {
  if (!Number.isSafeInteger(value) || value < 1) {
    throw new RangeError(`${name} must be a whole number from 1, got ${value}`);
  }
  return value;
}

/**
 * Starts a relay that treats UDP packets as the two links say: a thin loop over {@link Link} with real sockets and a
 * real clock. Packets leave at their time or up to about 1 ms later, never earlier.
 * @throws RangeError for a parameter out of range; the system's error when the address cannot be resolved or bound.
 */
export async function createRelay(options: RelayOptions): Promise<Relay> {
  const maxPeers = checkCount("maxPeers", options.maxPeers ?? 256);
  const idleMs = checkCount("idleMs", options.idleMs ?? 60_000);
  const maxHeldBytes = checkCount("maxHeldBytes", options.maxHeldBytes ?? 64 * 1024 * 1024);
  const random = createRandom(options.seed);
  const createDirection = (parameters: LinkParameters, name: string): Direction => ({
    link: createLink(parameters, random.fork(name)),
    forwarded: 0,
    held: 0,
    droppedOverflow: 0,
    droppedPeers: 0,
    droppedPeer: 0,
    droppedSocket: 0,
  });
  const up = createDirection(options.up, "up");
  const down = createDirection(options.down, "down");
  const [listen, target] = await Promise.all([
    resolveHost(options.listen.host),
    resolveHost(options.target.host),
  ]);

  const peers = new Map<string, Peer>();
  let heldBytes = 0;
  let closing: Promise<void> | undefined;
  let onFirstPacket = options.onFirstPacket;

  const front = openSocket(listen.family);
  await bindSocket(front, options.listen.port, listen.address);

  function transmit(
    socket: Socket,
    payload: Uint8Array,
    port: number,
    address: string,
    direction: Direction,
  ): void {
    if (socket.getSendQueueSize() > MAX_SEND_QUEUE_BYTES) {
      direction.droppedSocket++;
      return;
    }
    direction.forwarded++;
    socket.send(payload, port, address, (error) => {
      if (error === null) return;
      direction.forwarded--;
      direction.droppedSocket++;
    });
  }

  function release(packet: HeldPacket): void {
    const { direction, payload, peer } = packet;
    direction.held--;
    heldBytes -= payload.length + HELD_PACKET_OVERHEAD_BYTES;
    if (peer.forgotten) direction.droppedPeer++;
    else if (direction === up) transmit(peer.upstream, payload, options.target.port, target.address, up);
    else transmit(front, payload, peer.port, peer.address, down);
  }

  const queue = createDueQueue(() => performance.now(), release);

  function hold(payload: Uint8Array, peer: Peer, direction: Direction, dueMs: number): void {
    direction.held++;
    heldBytes += payload.length + HELD_PACKET_OVERHEAD_BYTES;
    queue.add({ payload, peer, direction }, dueMs);
  }

  function handlePacket(payload: Uint8Array, peer: Peer, direction: Direction, family: Family): void {
    const nowMs = performance.now();
    peer.lastUsedMs = nowMs;
    if (heldBytes + payload.length + HELD_PACKET_OVERHEAD_BYTES > maxHeldBytes) {
      direction.droppedOverflow++;
      return;
    }
    const verdict = direction.link.offer(payload.length + HEADER_BYTES[family], nowMs);
    if ("dropped" in verdict) return;
    const { deliverAtMs, duplicateAtMs, corruption } = verdict;
    if (corruption !== undefined) corruptPacket(payload, corruption);
    hold(payload, peer, direction, deliverAtMs);
    if (duplicateAtMs !== undefined) hold(payload, peer, direction, duplicateAtMs);
  }

  function openUpstream(peer: () => Peer): Socket {
    const socket = openSocket(target.family);
    socket.on("message", (payload: Uint8Array, from: RemoteInfo) => {
      // Only what comes from the target's port goes back, and only over the present mapping.
      if (closing !== undefined || from.port !== options.target.port || peer().upstream !== socket) return;
      handlePacket(payload, peer(), down, target.family);
    });
    // Errors of a send reach its callback; one that comes here is the system's answer to a dead target.
    socket.on("error", () => {});
    return socket;
  }

  function forget(key: string, peer: Peer): void {
    peer.forgotten = true;
    peers.delete(key);
    peer.upstream.close();
  }

  function forgetIdle(nowMs: number): void {
    for (const [key, peer] of peers) if (nowMs - peer.lastUsedMs >= idleMs) forget(key, peer);
  }

  function findPeer(from: RemoteInfo): Peer | undefined {
    const key = `${from.address} ${from.port}`;
    const known = peers.get(key);
    if (known !== undefined) return known;
    const nowMs = performance.now();
    if (peers.size >= maxPeers) forgetIdle(nowMs);
    if (peers.size >= maxPeers) return undefined;
    const peer: Peer = {
      address: from.address,
      port: from.port,
      upstream: openUpstream(() => peer),
      lastUsedMs: nowMs,
      forgotten: false,
    };
    peers.set(key, peer);
    return peer;
  }

  front.on("message", (payload: Uint8Array, from: RemoteInfo) => {
    if (closing !== undefined) return;
    onFirstPacket?.();
    onFirstPacket = undefined;
    const peer = findPeer(from);
    if (peer === undefined) up.droppedPeers++;
    else handlePacket(payload, peer, up, listen.family);
  });
  front.on("error", () => {});
  const idleTimer = setInterval(() => forgetIdle(performance.now()), Math.max(1000, idleMs / 2));
  idleTimer.unref();

  async function rebindPeer(peer: Peer): Promise<void> {
    const socket = openUpstream(() => peer);
    // The old socket stays open until the new one is bound, so the ports differ.
    await bindSocket(socket, 0);
    if (peer.forgotten) {
      socket.close();
      return;
    }
    const old = peer.upstream;
    peer.upstream = socket;
    old.close();
  }

  async function close(): Promise<void> {
    clearInterval(idleTimer);
    for (const [key, peer] of peers) forget(key, peer);
    queue.drain();
    await new Promise<void>((resolve) => front.close(resolve));
  }

  const directionStats = ({ link, ...counts }: Direction): RelayDirectionStats => ({
    ...link.counters(),
    ...counts,
  });
  return {
    address: { host: listen.address, port: front.address().port },
    stats: () => ({ up: directionStats(up), down: directionStats(down), peers: peers.size }),
    set(change) {
      const nowMs = performance.now();
      // Both are checked before either changes.
      if (change.up !== undefined) checkLinkParameters({ ...up.link.parameters(), ...change.up });
      if (change.down !== undefined) down.link.set(change.down, nowMs);
      if (change.up !== undefined) up.link.set(change.up, nowMs);
    },
    async rebind() {
      const present = [...peers.values()];
      await Promise.all(present.map(rebindPeer));
      return present.length;
    },
    close: () => (closing ??= close()),
  };
}
