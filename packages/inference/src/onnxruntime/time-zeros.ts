/** Timing a network with zeros; runs in the worker thread. */
import type * as Ort from "onnxruntime-node";
import { outputDtypeOfRawType, zerosOf } from "../worker-engine/raw-types.js";

/** An input larger than this is not made only to take the time. */
const maxElements = 1 << 26;
const mostRuns = 8;
/** No further run is begun after so long. */
const budgetMs = 500;

/** Sizes of one sample; undefined where more than the batch axis is open. */
function dimsOf({ shape }: Ort.InferenceSession.TensorValueMetadata): number[] | undefined {
  const dims = shape.map((size, axis) => (typeof size === "number" ? size : axis === 0 ? 1 : Number.NaN));
  return dims.reduce((product, size) => product * size, 1) <= maxElements ? dims : undefined;
}

/** Whether zeros can be made for all inputs. */
export function canTime({ inputMetadata }: Pick<Ort.InferenceSession, "inputMetadata">): boolean {
  return inputMetadata.every(
    (info) => info.isTensor && info.type in outputDtypeOfRawType && dimsOf(info) !== undefined,
  );
}

/** Milliseconds of the quickest run of one sample, after one that allocates and compiles. @throws what the run throws */
export async function timeZeros(
  { Tensor }: Pick<typeof Ort, "Tensor">,
  network: {
    readonly session: Pick<Ort.InferenceSession, "inputMetadata" | "outputNames">;
    run(feeds: Record<string, Ort.Tensor>, names: readonly string[]): Promise<unknown>;
  },
): Promise<number> {
  const feeds: Record<string, Ort.Tensor> = {};
  for (const info of network.session.inputMetadata) {
    if (!info.isTensor) continue;
    const dims = dimsOf(info)!;
    const data = zerosOf(
      info.type,
      dims.reduce((product, size) => product * size, 1),
    )!;
    feeds[info.name] = new Tensor(info.type, data, dims);
  }
  const names = network.session.outputNames;
  await network.run(feeds, names);
  const endMs = performance.now() + budgetMs;
  let leastMs = Number.POSITIVE_INFINITY;
  for (let run = 0; run < mostRuns && (run === 0 || performance.now() < endMs); run++) {
    const startMs = performance.now();
    await network.run(feeds, names);
    leastMs = Math.min(leastMs, performance.now() - startMs);
  }
  return leastMs;
}
