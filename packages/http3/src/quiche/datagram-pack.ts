import { freeMemory } from "../free-memory.js";

const PAGE_BYTES = 4096;
const MAX_CAPACITY_BYTES = 65_536;
const LENGTH_BYTES = 2;

/** What is smaller is copied into messages: handing its memory over takes both threads longer. */
const LEAST_MOVED_BYTES = 2048;

/** Has the memory under `bytes`, which are all of it, move with the message that holds them, where that is worth it. */
export function addTransfer(transfers: ArrayBuffer[], bytes: Uint8Array<ArrayBuffer>): void {
  if (bytes.buffer.byteLength >= LEAST_MOVED_BYTES) transfers.push(bytes.buffer);
}

/** Datagrams in one buffer, each after its length (u16, little-endian), so that a thread hands over many at once. */
export interface DatagramPack {
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly count: number;
}

/** Memory of packs that have been sent, at most so many. */
const MAX_FREE = 16;
const free: ArrayBuffer[] = [];

/**
 * Gives the memory of a pack back that nobody reads any more. It serves the next pack that this thread makes: the collector
 * looks through the whole heap each time that some tens of MiB of it were thrown away.
 */
export function recyclePack(pack: DatagramPack): void {
  if (pack.bytes.buffer.byteLength < PAGE_BYTES) return;
  if (free.length < MAX_FREE) free.push(pack.bytes.buffer);
  else freeMemory([new Uint8Array(pack.bytes.buffer)]);
}

/** Memory for at least `bytes`, not filled with zeros, which can be handed over to another thread. */
function allocate(bytes: number): Uint8Array<ArrayBuffer> {
  const last = free.at(-1);
  if (last !== undefined && last.byteLength >= bytes) {
    free.pop();
    return new Uint8Array(last);
  }
  return new Uint8Array(Buffer.allocUnsafeSlow(Math.ceil(bytes / PAGE_BYTES) * PAGE_BYTES).buffer);
}

/** Collects datagrams into a {@link DatagramPack}. */
export class DatagramPacker {
  #bytes: Uint8Array<ArrayBuffer> | undefined;
  #length = 0;
  #count = 0;
  #lastLength = 0;

  get count(): number {
    return this.#count;
  }

  /** Adds `prefix` and `payload` as one datagram; `false` where the pack is full and has to be taken first. */
  add(prefix: Uint8Array, payload: Uint8Array): boolean {
    const length = prefix.byteLength + payload.byteLength;
    const end = this.#length + LENGTH_BYTES + length;
    if (end > MAX_CAPACITY_BYTES && this.#count > 0) return false;
    const bytes = this.#reserve(end);
    bytes[this.#length] = length & 0xff;
    bytes[this.#length + 1] = length >>> 8;
    bytes.set(prefix, this.#length + LENGTH_BYTES);
    bytes.set(payload, this.#length + LENGTH_BYTES + prefix.byteLength);
    this.#length = end;
    this.#count += 1;
    return true;
  }

  /** What was collected; its buffer now belongs to the caller. */
  take(): DatagramPack | undefined {
    if (this.#bytes === undefined || this.#count === 0) return undefined;
    const isMoved = this.#length >= LEAST_MOVED_BYTES;
    const bytes = isMoved ? this.#bytes.subarray(0, this.#length) : this.#bytes.slice(0, this.#length);
    const pack = { bytes, count: this.#count };
    if (isMoved) this.#bytes = undefined;
    this.#lastLength = this.#length;
    this.#length = 0;
    this.#count = 0;
    return pack;
  }

  #reserve(end: number): Uint8Array<ArrayBuffer> {
    const bytes = this.#bytes;
    if (bytes !== undefined && bytes.byteLength >= end) return bytes;
    // A new pack is as large as the last one: memory that is not used makes the garbage collector come more often.
    const wanted =
      bytes === undefined ? Math.max(end, this.#lastLength) : Math.max(end, 2 * bytes.byteLength);
    const grown = allocate(wanted);
    if (bytes !== undefined) grown.set(bytes.subarray(0, this.#length));
    this.#bytes = grown;
    return grown;
  }
}

/** The datagram at `offset` of a pack, as a view; the next one begins `2 + its length` further. */
export function datagramAt(bytes: Uint8Array, offset: number): Uint8Array {
  const length = (bytes[offset] ?? 0) | ((bytes[offset + 1] ?? 0) << 8);
  return bytes.subarray(offset + LENGTH_BYTES, offset + LENGTH_BYTES + length);
}

/** All datagrams of a pack, as views. */
export function unpackDatagrams(pack: DatagramPack): Uint8Array[] {
  const datagrams: Uint8Array[] = [];
  for (let offset = 0; offset < pack.bytes.byteLength; ) {
    const datagram = datagramAt(pack.bytes, offset);
    datagrams.push(datagram);
    offset += LENGTH_BYTES + datagram.byteLength;
  }
  return datagrams;
}
