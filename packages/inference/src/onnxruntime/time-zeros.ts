/** Timing a network with zeros; runs in the worker thread. */
import type * as Ort from "onnxruntime-node";
import { median } from "../profile/time-runs.js";
import { outputDtypeOfRawType, zerosOf } from "../worker-engine/raw-types.js";

/** An input larger than this is not made only to take the time. */
const maxElements = 1 << 26;
const mostRuns = 9;
/** No further run is begun after so long. */
const budgetMs = 500;

/** Sizes of a batch; undefined where more than the batch axis is open, or there is too much of it. */
function dimsOf({ shape }: Ort.InferenceSession.TensorValueMetadata, batch: number): number[] | undefined {
  const dims = shape.map((size, axis) => (typeof size === "number" ? size : axis === 0 ? batch : Number.NaN));
  return dims.reduce((product, size) => product * size, 1) <= maxElements ? dims : undefined;
}

type Timed = Pick<Ort.InferenceSession, "inputMetadata" | "outputNames">;

/** Whether zeros can be made for all inputs. */
export function canTime({ inputMetadata }: Pick<Timed, "inputMetadata">): boolean {
  return inputMetadata.every(
    (info) => info.isTensor && info.type in outputDtypeOfRawType && dimsOf(info, 1) !== undefined,
  );
}

/** Zeros for a batch; undefined where the network has no axis for it, or it would be too large. */
function zeroFeeds(
  { Tensor }: Pick<typeof Ort, "Tensor">,
  { inputMetadata }: Timed,
  batch: number,
): Record<string, Ort.Tensor> | undefined {
  const feeds: Record<string, Ort.Tensor> = {};
  for (const info of inputMetadata) {
    if (!info.isTensor) continue;
    const dims = dimsOf(info, batch);
    if (dims === undefined || (batch > 1 && typeof info.shape[0] === "number")) return undefined;
    const data = zerosOf(
      info.type,
      dims.reduce((product, size) => product * size, 1),
    )!;
    feeds[info.name] = new Tensor(info.type, data, dims);
  }
  return feeds;
}

/**
 * Milliseconds of one sample in batches of some sizes: the median of a few runs, after one that allocates and compiles.
 * @param batches the first of them has to run; others that do not are left out
 * @throws what the run throws
 */
export async function timeZeros(
  ort: Pick<typeof Ort, "Tensor">,
  network: {
    readonly session: Timed;
    run(feeds: Record<string, Ort.Tensor>, names: readonly string[]): Promise<unknown>;
  },
  batches: readonly number[],
): Promise<ReadonlyMap<number, number>> {
  const names = network.session.outputNames;
  const found = new Map<number, number>();
  for (const batch of batches) {
    const feeds = zeroFeeds(ort, network.session, batch);
    if (feeds === undefined) continue;
    try {
      found.set(batch, (await medianMs(() => network.run(feeds, names))) / batch);
    } catch (error) {
      if (found.size === 0) throw error;
    }
  }
  return found;
}

async function medianMs(run: () => Promise<unknown>): Promise<number> {
  await run();
  const endMs = performance.now() + budgetMs;
  const times: number[] = [];
  while (times.length < mostRuns && (times.length === 0 || performance.now() < endMs)) {
    const startMs = performance.now();
    await run();
    times.push(performance.now() - startMs);
  }
  return median(times);
}

/** Whether one is quicker than the other on the average of the batches that both run, each counting as much. */
export function isQuicker(one: ReadonlyMap<number, number>, other: ReadonlyMap<number, number>): boolean {
  let ratio = 0;
  for (const [batch, ms] of one) {
    const others = other.get(batch);
    if (others !== undefined) ratio += Math.log(ms / others);
  }
  return ratio < 0;
}
