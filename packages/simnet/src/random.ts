/** A seeded source of pseudo-random numbers. The same seed gives the same numbers on every machine. */
export interface Random {
  /** The next number, uniform in [0, 1), with 32 random bits. */
  next(): number;
  /**
   * A source of its own for one purpose. It depends on the seed and the name only, not on how many numbers were
   * drawn before, so a purpose that is added later does not change what the others see.
   */
  fork(name: string): Random;
}

/** Four 32-bit words that name a source: the root's come from the seed, a fork's from its parent's and its name. */
type Key = readonly [number, number, number, number];

/** 2^32 divided by the golden ratio: the step of splitmix32's counter. */
const GOLDEN = 0x9e3779b9;
/** Number of outputs that sfc32 discards, as its author does, until every seed bit has reached every state bit. */
const WARM_UP = 12;

/** The finalizer of MurmurHash3: every input bit changes every output bit with probability near one half. */
function mix32(value: number): number {
  let h = value >>> 0;
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return (h ^ (h >>> 16)) >>> 0;
}

/** Derives a key by absorbing the text into each word of the parent; the words differ in their start. */
function deriveKey(parent: Key, text: string): Key {
  const absorb = (word: number, lane: number): number => {
    let h = mix32(word + Math.imul(lane + 1, GOLDEN));
    for (let i = 0; i < text.length; i++) h = mix32(Math.imul(h, 31) + text.charCodeAt(i) + GOLDEN);
    // The length is absorbed last, so that "a" then "b" is not "ab".
    return mix32(h ^ Math.imul(text.length + 1, GOLDEN));
  };
  return [absorb(parent[0], 0), absorb(parent[1], 1), absorb(parent[2], 2), absorb(parent[3], 3)];
}

/** sfc32 of Chris Doty-Humphrey (PractRand): 128 bits of state, period of at least 2^32, small and fast in JS. */
function createFromKey(key: Key): Random {
  let [a, b, c] = key;
  let counter = key[3];
  function draw(): number {
    const sum = (((a + b) | 0) + counter) | 0;
    counter = (counter + 1) | 0;
    a = b ^ (b >>> 9);
    b = (c + (c << 3)) | 0;
    c = (((c << 21) | (c >>> 11)) + sum) | 0;
    return sum >>> 0;
  }
  for (let i = 0; i < WARM_UP; i++) draw();
  return {
    next: () => draw() / 0x1_0000_0000,
    fork: (name) => createFromKey(deriveKey(key, name)),
  };
}

/**
 * Creates a source from a seed: a text, or a finite number (any; 1 and 1.5 differ).
 * @throws RangeError when the seed is a number that is not finite.
 */
export function createRandom(seed: number | string): Random {
  if (typeof seed === "number" && !Number.isFinite(seed))
    throw new RangeError(`seed must be finite, got ${seed}`);
  return createFromKey(deriveKey([0, 0, 0, 0], String(seed)));
}
