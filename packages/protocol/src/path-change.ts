/**
 * Tells a path that has become another one from one that jitters: the latest trains in a row are unlike what the path was
 * taken for, and so was hardly one before. Of n trains of the same path and k latest ones these are the lowest or the
 * highest of all once in (n + k choose k) times only, however the rates are distributed.
 */

/** The rate of a train. */
export interface TrainRate {
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
 * In milliseconds. Timers and stalls make many trains slower, and hardly one faster by so much: of those the second in a
 * row is enough, and of slower ones where each took longer by more than stalls last.
 */
const sureMs = 5;
const sureSlowerMs = 40;
const sureSamples = 2;
const minOlder = 3;
/**
 * So many of those before may be as far from it: a machine that slows down now and then makes many trains slower, but seldom
 * three in a row that are as slow as hardly any. One that met the change before this one may be, too, where there are a few.
 */
const rareShare = 1 / 16;
const few = 5;

/** Whether a train was faster than a path of such a rate lets it be. */
export function isFaster({ bitsPerSecond }: TrainRate, estimate: number): boolean {
  return bitsPerSecond * likeShare > estimate;
}

function isSlower({ bitsPerSecond }: TrainRate, estimate: number): boolean {
  return bitsPerSecond < likeShare * estimate;
}

/** How much longer the train would take at the estimate, in milliseconds. */
function aheadMs({ spreadMs, bitsPerSecond }: TrainRate, estimate: number): number {
  return spreadMs * (bitsPerSecond / estimate - 1);
}

function isSurelyFaster(sample: TrainRate, estimate: number): boolean {
  return isFaster(sample, estimate) && aheadMs(sample, estimate) > sureMs;
}

function areMuchSlower(samples: readonly TrainRate[], estimate: number): boolean {
  return samples.slice(-sureSamples).every((sample) => aheadMs(sample, estimate) < -sureSlowerMs);
}

/** Whether a short train, of which timers decide much, is unlike the estimate nevertheless. */
function isSurelyUnlike(sample: TrainRate, estimate: number): boolean {
  return (
    (isFaster(sample, estimate) || isSlower(sample, estimate)) && Math.abs(aheadMs(sample, estimate)) > sureMs
  );
}

/**
 * @param samples in the order in which they came
 * @param estimate what the path was taken for, in bits per second
 * @returns when the first train of the path that it is now was reported; `undefined`: it is the same
 */
export function findChange(samples: readonly TrainRate[], estimate: number): number | undefined {
  const isSure =
    samples.slice(-sureSamples).every((sample) => isSurelyFaster(sample, estimate)) ||
    areMuchSlower(samples, estimate);
  return (
    (isSure ? changeOf(samples, sureSamples, estimate) : undefined) ??
    changeOf(samples, changeSamples, estimate)
  );
}

function changeOf(samples: readonly TrainRate[], count: number, estimate: number): number | undefined {
  const older = samples.length - count;
  const first = samples[older];
  if (older < minOlder || !first) return undefined;
  const isUp = isFaster(first, estimate);
  const latest = samples.slice(older);
  if (!latest.every((sample) => (isUp ? isFaster : isSlower)(sample, estimate))) return undefined;
  // The one that is least unlike.
  const rates = latest.map(({ bitsPerSecond }) => bitsPerSecond);
  const least = isUp ? Math.min(...rates) : Math.max(...rates);
  let unlike = 0;
  for (let i = 0; i < older; i++) {
    const { bitsPerSecond } = samples[i]!;
    if (isUp ? bitsPerSecond >= least : bitsPerSecond <= least) unlike++;
  }
  return unlike <= (older < few ? 0 : Math.max(1, rareShare * older)) ? first.atMs : undefined;
}

/** The same where short trains, in which timers decide much, are all that came behind the others. */
export function findChangeByShort(
  samples: readonly TrainRate[],
  short: readonly TrainRate[],
  estimate: number,
): number | undefined {
  const count = areMuchSlower(short, estimate) ? sureSamples : changeSamples;
  const latest = short.slice(-count);
  if (latest.length < count || !latest.every((sample) => isSurelyUnlike(sample, estimate))) return undefined;
  return findChange([...samples, ...short], estimate);
}
