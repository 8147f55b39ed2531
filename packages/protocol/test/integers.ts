import { createRandom } from "@sluice/simnet";

/** Seeded integers and bytes for tests. */
export interface Integers {
  /** Uniform in first..last, both included. */
  between(first: number, last: number): number;
  /** 0 to 2^32 - 1, every length in bits equally often. */
  uint32(): number;
  bytes(length: number): Uint8Array;
}

export function createIntegers(seed: number): Integers {
  const random = createRandom(seed);
  const between = (first: number, last: number) => first + Math.floor(random.next() * (last - first + 1));
  return {
    between,
    uint32: () => Math.floor(random.next() * 2 ** between(0, 32)),
    bytes: (length) => Uint8Array.from({ length }, () => between(0, 255)),
  };
}
