import { decodeVarint, varintBytesFrom } from "./varint.js";

/** What to do with the payload of one element. */
export type TlvHandling =
  /** Hand it over whole; `classify` has checked its length. */
  | "collect"
  /** Hand it over in pieces, as it comes. */
  | "stream"
  | "skip";

/** Receives what a {@link TlvReader} finds. Views are valid until the callback returns. */
export interface TlvHandler {
  /** Decides by type and length, before anything is allocated; throws where an element is not allowed. */
  classify(type: number, lengthBytes: number): TlvHandling;
  onCollected(type: number, payload: Uint8Array): void;
  onStreamed(type: number, bytes: Uint8Array): void;
}

const MAX_HEADER_BYTES = 16;
const EMPTY = new Uint8Array(0);

/**
 * Cuts a byte stream into type-length-value elements, whose type and length are varints: HTTP/3 frames
 * (RFC 9114 7.1) and capsules (RFC 9297 3.2) both look like that. Bytes may come in any pieces.
 */
export class TlvReader {
  readonly #header = new Uint8Array(MAX_HEADER_BYTES);
  #headerLength = 0;
  #type = -1;
  #remaining = 0;
  #handling: TlvHandling = "skip";
  #payload = EMPTY;
  #payloadLength = 0;

  constructor(readonly handler: TlvHandler) {}

  /** Whether the bytes so far end between two elements; an end of the stream elsewhere cuts one short. */
  get isAtBoundary(): boolean {
    return this.#type === -1 && this.#headerLength === 0;
  }

  push(bytes: Uint8Array): void {
    let offset = 0;
    while (offset < bytes.byteLength) {
      if (this.#type === -1) {
        offset = this.#pushHeader(bytes, offset);
      } else {
        const end = Math.min(bytes.byteLength, offset + this.#remaining);
        this.#pushPayload(bytes.subarray(offset, end));
        offset = end;
      }
    }
  }

  #pushHeader(bytes: Uint8Array, offset: number): number {
    this.#header[this.#headerLength++] = bytes[offset] ?? 0;
    const typeLength = varintBytesFrom(this.#header[0] ?? 0);
    if (this.#headerLength <= typeLength) return offset + 1;
    const headerLength = typeLength + varintBytesFrom(this.#header[typeLength] ?? 0);
    if (this.#headerLength < headerLength) return offset + 1;
    const type = decodeVarint(this.#header, 0);
    this.#remaining = decodeVarint(this.#header, typeLength);
    this.#headerLength = 0;
    this.#handling = this.handler.classify(type, this.#remaining);
    this.#type = type;
    if (this.#handling === "collect") {
      this.#payload = new Uint8Array(this.#remaining);
      this.#payloadLength = 0;
    }
    if (this.#remaining === 0) this.#finish();
    return offset + 1;
  }

  #pushPayload(bytes: Uint8Array): void {
    this.#remaining -= bytes.byteLength;
    if (this.#handling === "stream") {
      this.handler.onStreamed(this.#type, bytes);
    } else if (this.#handling === "collect") {
      this.#payload.set(bytes, this.#payloadLength);
      this.#payloadLength += bytes.byteLength;
    }
    if (this.#remaining === 0) this.#finish();
  }

  #finish(): void {
    const type = this.#type;
    const payload = this.#payload;
    this.#type = -1;
    this.#payload = EMPTY;
    if (this.#handling === "collect") this.handler.onCollected(type, payload);
  }
}
