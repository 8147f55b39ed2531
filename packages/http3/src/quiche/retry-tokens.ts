import {
  decodeRetryToken,
  encodeRetryToken,
  RETRY_TOKEN_MAX_AGE_MS,
  type RetryTokenFacts,
} from "./retry-token.js";

/** How long tokens are made with the same key. */
const KEY_LIFE_MS = 3_600_000;
/** Tokens in use that are remembered; beyond them the oldest is forgotten. */
const MAX_USED = 8192;
const KEY_BYTES = 32;

/**
 * The Retry tokens of one server: makes them, takes each of them once (RFC 9000 8.1.4), and changes the key from time
 * to time. Time and randomness come as arguments.
 */
export class RetryTokens {
  #key: Uint8Array;
  #keySinceMs: number;
  #previous: Uint8Array | undefined;
  /** When a token was used, by the connection id that it is bound to; the oldest first. */
  readonly #used = new Map<string, number>();

  constructor(
    readonly randomBytes: (length: number) => Uint8Array,
    nowMs: number,
  ) {
    this.#key = randomBytes(KEY_BYTES);
    this.#keySinceMs = nowMs;
  }

  issue(address: string, originalId: Uint8Array, retryId: Uint8Array, nowMs: number): Uint8Array {
    this.#rotate(nowMs);
    return encodeRetryToken(this.#key, address, originalId, retryId, nowMs);
  }

  /** What a token says, or `undefined` for one that is forged, foreign, too old or used. */
  open(address: string, token: Uint8Array, retryId: Uint8Array, nowMs: number): RetryTokenFacts | undefined {
    this.#rotate(nowMs);
    if (this.#used.has(nameOf(retryId))) return undefined;
    const found = decodeRetryToken(this.#key, address, token, retryId, nowMs);
    if (found !== undefined || this.#previous === undefined) return found;
    return decodeRetryToken(this.#previous, address, token, retryId, nowMs);
  }

  /** A connection was opened with the token for `retryId`: it opens no other one. */
  spend(retryId: Uint8Array, nowMs: number): void {
    for (const [name, atMs] of this.#used) {
      if (nowMs - atMs <= RETRY_TOKEN_MAX_AGE_MS && this.#used.size < MAX_USED) break;
      this.#used.delete(name);
    }
    this.#used.set(nameOf(retryId), nowMs);
  }

  /** Number of tokens that are remembered as used. */
  get used(): number {
    return this.#used.size;
  }

  #rotate(nowMs: number): void {
    const ageMs = nowMs - this.#keySinceMs;
    if (ageMs >= KEY_LIFE_MS) {
      // The last token under the old key may be as young as this moment's.
      this.#previous = this.#key;
      this.#key = this.randomBytes(KEY_BYTES);
      this.#keySinceMs = nowMs;
    } else if (ageMs > RETRY_TOKEN_MAX_AGE_MS) this.#previous = undefined;
  }
}

function nameOf(id: Uint8Array): string {
  return Buffer.from(id.buffer, id.byteOffset, id.byteLength).toString("latin1");
}
