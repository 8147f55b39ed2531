import { createHmac, timingSafeEqual } from "node:crypto";

/** How long a client may take to come back with its token. */
export const RETRY_TOKEN_MAX_AGE_MS = 10_000;
const MAC_BYTES = 32;
const TIME_BYTES = 6;

/**
 * A Retry token (RFC 9000 8.1.2): it proves to a server without memory that the client receives at its
 * address, and carries the connection id that the client first chose. Layout: time, id, MAC over both, the
 * address, and the id that the server asked the client to use from then on.
 */
export function encodeRetryToken(
  key: Uint8Array,
  address: string,
  originalId: Uint8Array,
  retryId: Uint8Array,
  nowMs: number,
): Uint8Array {
  const token = Buffer.alloc(TIME_BYTES + originalId.byteLength + MAC_BYTES);
  token.writeUIntBE(nowMs, 0, TIME_BYTES);
  token.set(originalId, TIME_BYTES);
  const bodyLength = TIME_BYTES + originalId.byteLength;
  token.set(macOf(key, address, token.subarray(0, bodyLength), retryId), bodyLength);
  return token;
}

/** What a token says. */
export interface RetryTokenFacts {
  /** The client's first connection id. */
  readonly originalId: Uint8Array;
  /** Since it was made: the round trip of the Retry, and what the client took for its answer. */
  readonly ageMs: number;
}

/** `undefined` for a token that is forged, foreign or too old. */
export function decodeRetryToken(
  key: Uint8Array,
  address: string,
  token: Uint8Array,
  retryId: Uint8Array,
  nowMs: number,
): RetryTokenFacts | undefined {
  const bodyLength = token.byteLength - MAC_BYTES;
  if (bodyLength < TIME_BYTES || bodyLength > TIME_BYTES + 20) return undefined;
  const body = token.subarray(0, bodyLength);
  if (!timingSafeEqual(macOf(key, address, body, retryId), token.subarray(bodyLength))) return undefined;
  const madeMs = Buffer.from(body).readUIntBE(0, TIME_BYTES);
  const ageMs = nowMs - madeMs;
  if (ageMs < 0 || ageMs > RETRY_TOKEN_MAX_AGE_MS) return undefined;
  return { originalId: body.slice(TIME_BYTES), ageMs };
}

function macOf(key: Uint8Array, address: string, body: Uint8Array, retryId: Uint8Array): Uint8Array {
  const mac = createHmac("sha256", key);
  mac.update(`${address}\n${body.byteLength}\n`).update(body).update(retryId);
  return mac.digest();
}
