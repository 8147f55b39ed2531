import type { ProcessCensus } from "./census.js";

/** Bytes by which each part of the memory grew for each connection, from the lowest of some early looks to late ones. */
export interface MemoryGrowth {
  readonly rssBytesPerConnection: number;
  readonly heapBytesPerConnection: number;
  readonly workerBytesPerConnection: number;
}

/**
 * Compares the lowest of the third quarter of the looks with the lowest of the last one: in the first half, caches fill
 * and the allocator takes what it keeps. A single look says little, as the allocator gives back when it likes.
 */
export function measureGrowth(looks: readonly ProcessCensus[], connectionsPerLook: number): MemoryGrowth {
  const quarter = Math.floor(looks.length / 4);
  const lowest = (from: number, to: number, read: (look: ProcessCensus) => number) =>
    Math.min(...looks.slice(from, to).map(read));
  const growth = (read: (look: ProcessCensus) => number) => {
    const early = lowest(2 * quarter, 3 * quarter, read);
    const late = lowest(3 * quarter, looks.length, read);
    return (late - early) / (quarter * connectionsPerLook);
  };
  return {
    rssBytesPerConnection: growth((look) => look.rssBytes),
    heapBytesPerConnection: growth((look) => look.heapUsedBytes),
    workerBytesPerConnection: growth((look) => look.worker.heapUsedBytes + look.worker.arrayBufferBytes),
  };
}
