/**
 * Tells a path that has become another one from one that jitters: the latest trains in a row are unlike what the path was
 * taken for, and so was hardly one before. Of n trains of the same path and k latest ones these are the lowest or the
 * highest of all once in (n + k choose k) times only, however the rates are distributed.
 */

/** The rate of a train. */
export interface RateSample {
  /** When it was reported. */
  readonly atMs: number;
  /** The time that its bytes took, in milliseconds. */
  readonly spreadMs: number;
  readonly bitsPerSecond: number;
}

/** A rate below this share of another one, or above it by as much, is unlike it: traffic of others slows bursts down by less. */
const likeShare = 0.7;
const changeSamples = 3;
/**
 * Timers and stalls make many trains slower, and hardly one faster by so much, in milliseconds: of those the second in a
 * row is enough.
 */
const sureMs = 5;
const sureSamples = 2;
const minOlder = 3;
/** So many of those before may be unlike it as well; one that met the change before this one, too, where there are a few. */
const rareShare = 1 / 16;
const few = 5;

/** Whether a train was faster than a path of such a rate lets it be. */
export function isFaster({ bitsPerSecond }: RateSample, estimate: number): boolean {
  return bitsPerSecond * likeShare > estimate;
}

function isSlower({ bitsPerSecond }: RateSample, estimate: number): boolean {
  return bitsPerSecond < likeShare * estimate;
}

function isSurelyFaster(sample: RateSample, estimate: number): boolean {
  return isFaster(sample, estimate) && sample.spreadMs * (sample.bitsPerSecond / estimate - 1) > sureMs;
}

/**
 * @param samples in the order in which they came
 * @param estimate what the path was taken for, in bits per second
 * @returns when the first train of the path that it is now was reported; `undefined`: it is the same
 */
export function findChange(samples: readonly RateSample[], estimate: number): number | undefined {
  const count = samples.slice(-sureSamples).every((sample) => isSurelyFaster(sample, estimate))
    ? sureSamples
    : changeSamples;
  const older = samples.length - count;
  if (older < minOlder) return undefined;
  const isUnlike = isFaster(samples[older]!, estimate) ? isFaster : isSlower;
  const first = samples.slice(older).every((sample) => isUnlike(sample, estimate))
    ? samples[older]
    : undefined;
  if (!first) return undefined;
  let unlike = 0;
  for (let i = 0; i < older; i++) if (isUnlike(samples[i]!, estimate)) unlike++;
  return unlike <= (older < few ? 0 : Math.max(1, rareShare * older)) ? first.atMs : undefined;
}
