import type { Tensor } from "@sluice/tensor";
import { type Engine, EngineError } from "../engine.js";
import type { EngineOptions, Network } from "../network.js";
import { onnxProviders } from "../onnxruntime/providers.js";
import { createSeededRandom } from "../sources/seeded-random.js";
import { differenceOf, noiseFor } from "./noise.js";
import { timeRuns } from "./time-runs.js";

/** What one provider makes of a network. */
export interface ProviderFigures {
  readonly provider: string;
  /** Why it cannot be had; the rest is then empty. */
  readonly obstacle?: string;
  /** From the start to the end of the first run, which compiles. */
  readonly startMs?: number;
  /** For each size of a batch, in the order of {@link CompareOptions.batches}. */
  readonly batches: readonly {
    readonly frames: number;
    readonly medianMs: number;
    readonly bestMs: number;
  }[];
  /** The largest difference from what the processor makes, as a share of the largest value there. */
  readonly difference?: number;
}

export interface CompareOptions {
  /** Timed runs of each batch; the middle one counts. */
  readonly runs: number;
  /** Sizes to try where the network takes several frames at once; 1 comes first. */
  readonly batches: readonly number[];
  readonly engine: EngineOptions;
  /** Milliseconds, of a clock that does not step. */
  readonly now: () => number;
  readonly signal?: AbortSignal;
  readonly onProgress?: (provider: string) => void;
}

/**
 * Runs a network with each provider of onnxruntime that can be had, on noise, the processor first.
 * @throws EngineError where the processor does not run it, or `bad-input` for a network of another engine
 */
export async function compareProviders(
  network: Network,
  options: CompareOptions,
): Promise<readonly ProviderFigures[]> {
  if (network.engine !== "onnxruntime") {
    throw new EngineError("bad-input", `providers: are onnxruntime's, and ${network.engine} runs the model`);
  }
  const figures: ProviderFigures[] = [];
  let reference: readonly Tensor[] | undefined;
  for (const provider of onnxProviders) {
    options.signal?.throwIfAborted();
    options.onProgress?.(provider);
    const startMs = options.now();
    let engine: Engine;
    try {
      engine = await network.load({ ...options.engine, provider });
    } catch (error) {
      if (!(error instanceof EngineError) || error.kind !== "not-available" || provider === "cpu")
        throw error;
      figures.push({
        provider,
        obstacle: error.message.replace(/^provider: \S+ cannot be had: /, ""),
        batches: [],
      });
      continue;
    }
    try {
      const inputs = engine.inputs.map((info) => noiseFor(info, createSeededRandom(1)));
      const outputs = await engine.run(inputs);
      const firstMs = options.now() - startMs;
      reference ??= outputs;
      const batches = await timeBatches(engine, inputs, options);
      figures.push({ provider, startMs: firstMs, batches, difference: differenceOf(reference, outputs) });
    } catch (error) {
      if (!(error instanceof EngineError) || provider === "cpu") throw error;
      figures.push({ provider, obstacle: error.message, batches: [] });
    } finally {
      await engine.close();
    }
  }
  return figures;
}

async function timeBatches(engine: Engine, inputs: readonly Tensor[], options: CompareOptions) {
  const takesSeveral = inputs.length === 1 && engine.inputs[0]!.batch === "dynamic";
  const batches: ProviderFigures["batches"][number][] = [];
  for (const frames of takesSeveral ? options.batches : [1]) {
    options.signal?.throwIfAborted();
    const samples = Array.from({ length: frames }, () => inputs[0]!);
    const call = (): Promise<unknown> => (takesSeveral ? engine.runBatch(samples) : engine.run(inputs));
    const { medianMs, bestMs } = await timeRuns([undefined], options.runs, call, options.now);
    batches.push({ frames, medianMs, bestMs });
  }
  return batches;
}
