/** A buffer that grows to the longest piece seen; the tensor's elements bound it. */
export function createScratch<T extends Float32Array | Uint16Array | Uint8Array>(
  make: (length: number) => T,
): (length: number) => T {
  let buffer = make(0);
  return (length) => {
    if (buffer.length < length) buffer = make(length);
    return buffer.subarray(0, length) as T;
  };
}
