/** Memory for inputs that goes to the worker and comes back. */
export interface SpareBuffers {
  /** At least so many bytes, with anything in them. */
  take(bytes: number): ArrayBuffer;
  give(buffers: readonly ArrayBuffer[]): void;
}

/** As many as runs that are under way need; what comes back beyond them is freed. */
const maxSpare = 4;
/** One that is so many times larger than what is asked for is kept for somebody else. */
const maxWaste = 8;

/** Fresh memory for each batch is a page fault for every page of it, and work for the garbage collector. */
export function createSpareBuffers(): SpareBuffers {
  let spare: ArrayBuffer[] = [];
  return {
    take(bytes) {
      const at = spare.findIndex(({ byteLength }) => byteLength >= bytes && byteLength <= maxWaste * bytes);
      return at < 0 ? new ArrayBuffer(bytes) : spare.splice(at, 1)[0]!;
    },
    give(buffers) {
      // Those that came last fit best what is asked for now.
      spare = [...buffers.filter(({ byteLength }) => byteLength > 0), ...spare].slice(0, maxSpare);
    },
  };
}
