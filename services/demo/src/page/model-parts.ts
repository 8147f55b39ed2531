/** The client's parts of the network, each in a worker of its own, and what the server needs to know of the rest. */
import type { AgreedStatistics } from "@sluice/client";
import { type Engine, loadOnnxruntimeWeb } from "@sluice/inference/web";
import { createTensor, type Tensor } from "@sluice/tensor";
import { fetchPart, fetchStatistics } from "./server-api.js";

export interface ClientPart {
  /** The tensor that is sent or, of the whole network, the logits. */
  run(image: Tensor): Promise<Tensor>;
  readonly outputShape: readonly number[];
  /** Of one run, in milliseconds, with nothing else to do. */
  readonly runMs: number;
  readonly statistics: AgreedStatistics | undefined;
}

export interface ModelParts {
  /** Empty: the whole network. */
  get(cut: string): Promise<ClientPart>;
}

/** The network is small: what WebGPU's round trips cost is more than it saves. */
const providers = ["wasm"] as const;
const warmUpRuns = 5;

export function createModelParts(name: string, onProvider: (provider: string) => void): ModelParts {
  const parts = new Map<string, Promise<ClientPart>>();

  async function load(cut: string): Promise<ClientPart> {
    const [model, statistics] = await Promise.all([fetchPart(name, cut), fetchStatistics(name, cut)]);
    const engine: Engine = await loadOnnxruntimeWeb(model, {
      ...{ providers, wasmFolder: new URL("/runtime/", location.href).href },
      createWorker: () => new Worker("/engine-worker.js", { type: "module" }),
      onProvider,
    });
    const { dtype, shape, layout } = engine.inputs[0]!;
    const empty = createTensor(
      dtype,
      shape.map((size) => size ?? 1),
      undefined,
      layout,
    );
    let runMs = Number.POSITIVE_INFINITY;
    let output: Tensor | undefined;
    for (let i = 0; i < warmUpRuns; i++) {
      const startMs = performance.now();
      [output] = await engine.run([empty]);
      runMs = Math.min(runMs, performance.now() - startMs);
    }
    return {
      run: async (image) => (await engine.run([image]))[0]!,
      ...{ outputShape: output!.shape, runMs, statistics },
    };
  }

  return {
    get(cut) {
      let part = parts.get(cut);
      if (!part) {
        part = load(cut);
        parts.set(cut, part);
        // What failed may be tried again.
        part.catch(() => parts.delete(cut));
      }
      return part;
    },
  };
}
