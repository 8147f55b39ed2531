/** First HTTP/3 error code of the range that carries application codes (WebTransport over HTTP/3, 4.4). */
const FIRST = 0x52e4a40fa8db;
const LAST = 0x52e5ac983162;

/** The HTTP/3 error code that carries the application's `code`, a whole number from 0 to 2^32 - 1. */
export function encodeErrorCode(code: number): number {
  const n = Math.min(Math.max(Math.trunc(code) || 0, 0), 0xffff_ffff);
  // Code points of the form 0x1f * N + 0x21 are reserved for greasing, and so left out.
  return FIRST + n + Math.floor(n / 0x1e);
}

/** The application's code in an HTTP/3 error code, or `undefined` where it carries none. */
export function decodeErrorCode(h3Code: number): number | undefined {
  if (h3Code < FIRST || h3Code > LAST || (h3Code - 0x21) % 0x1f === 0) return undefined;
  const shifted = h3Code - FIRST;
  return shifted - Math.floor(shifted / 0x1f);
}
