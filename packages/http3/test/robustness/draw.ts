import type { Random } from "@sluice/simnet";

/** Draws of the kinds that generators of bad input need. */
export class Draw {
  constructor(readonly random: Random) {}

  /** A whole number from 0 to `count` - 1. */
  below(count: number): number {
    return Math.floor(this.random.next() * count);
  }

  chance(probability: number): boolean {
    return this.random.next() < probability;
  }

  pick<T>(choices: readonly T[]): T {
    const choice = choices[this.below(choices.length)];
    if (choice === undefined) throw new RangeError("nothing to choose from");
    return choice;
  }

  bytes(length: number): Buffer {
    const bytes = Buffer.alloc(length);
    for (let i = 0; i < length; i++) bytes[i] = this.below(256);
    return bytes;
  }

  /** Cuts `bytes` into up to `maxPieces` pieces, none of which is empty unless it is the only one. */
  pieces(bytes: Uint8Array, maxPieces: number): Uint8Array[] {
    const cuts = new Set<number>();
    for (let i = this.below(maxPieces); i > 0; i--)
      cuts.add(1 + this.below(Math.max(1, bytes.byteLength - 1)));
    const ends = [...cuts, bytes.byteLength].filter((end) => end <= bytes.byteLength).sort((a, b) => a - b);
    let start = 0;
    return [...new Set(ends)].map((end) => {
      const piece = bytes.subarray(start, end);
      start = end;
      return piece;
    });
  }
}
