/** Bytes from xorshift32: the same ones in every run, and none that a link could compress. */
export function createPayload(byteLength, seed = 1) {
  const bytes = new Uint8Array(byteLength);
  let state = seed;
  for (let i = 0; i < byteLength; i++) {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    bytes[i] = state;
  }
  return bytes;
}
