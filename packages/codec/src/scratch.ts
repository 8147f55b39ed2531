import { maxByteLevels, type Symbols } from "@sluice/tensor";

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

/** Room for symbols of so many levels. */
export function createSymbolScratch(levels: number): (length: number) => Symbols {
  return levels <= maxByteLevels
    ? createScratch((length) => new Uint8Array(length))
    : createScratch((length) => new Uint16Array(length));
}
