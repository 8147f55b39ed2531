import { classify, type Engine, type Model, ModelError } from "@sluice/inference";
import { ErrorCode } from "@sluice/protocol";
import { createSinkModel, type OpenServedStream, type ServedStream, StreamRefusal } from "@sluice/server";
import { createTensor, type Tensor, type TensorSpec } from "@sluice/tensor";
import { readHashedStatistics } from "./statistics-hash.js";

/** What a server serves: one model, cut wherever clients ask for, or `sink`. */
export interface ServedModels {
  readonly open: OpenServedStream;
  /** Loads and warms a cut up before the first client asks for it; empty: the whole model. */
  prepare(split: string): Promise<void>;
  close(): Promise<void>;
}

/** Cuts that are held ready at once; each is a loaded network. */
const maxLoadedCuts = 8;

/** Serves `sink`: no network, only a checksum of what arrived. */
export function serveSink(): ServedModels {
  const sink = createSinkModel();
  return {
    async open({ model }) {
      if (model !== "sink") throw unknownModel(model, "sink");
      return sink;
    },
    async prepare() {},
    async close() {},
  };
}

/** Serves the half of a model behind a cut, or the whole model. */
export function serveModel(model: Model, threads: number | undefined): ServedModels {
  const loaded = new Map<string, Promise<LoadedCut>>();

  async function load(split: string): Promise<LoadedCut> {
    const network = split === "" ? model.network : (await model.network.split(split)).tail;
    const engine = await network.load(threads === undefined ? {} : { threads });
    const statistics = split === "" ? undefined : await readHashedStatistics(model, split);
    const input = engine.inputs[0]!;
    // The first run allocates and compiles; no frame should wait for it.
    const shape = input.shape.map((size) => size ?? 1);
    await engine.run([createTensor(input.dtype, shape, undefined, input.layout)]);
    const served: ServedStream = {
      async run(tensor) {
        const [output] = await engine.run([asInput(tensor, input)]);
        return { predictions: classify(output!, model.labels).map(toPrediction) };
      },
      ...(statistics ? { statistics } : {}),
      ...(model.hash ? { modelHash: model.hash } : {}),
    };
    return { engine, served };
  }

  function get(split: string): Promise<LoadedCut> {
    let cut = loaded.get(split);
    if (!cut) {
      if (loaded.size >= maxLoadedCuts) {
        throw new StreamRefusal(
          ErrorCode.overloaded,
          `split: ${maxLoadedCuts} cuts are in use, no more are loaded`,
        );
      }
      cut = load(split);
      loaded.set(split, cut);
      // A cut that could not be loaded may be asked for again.
      cut.catch(() => loaded.delete(split));
    }
    return cut;
  }

  return {
    async open(request) {
      if (request.model !== model.name) throw unknownModel(request.model, model.name);
      try {
        const { engine, served } = await get(request.split);
        checkShape(request.spec, engine);
        return served;
      } catch (error) {
        if (error instanceof ModelError) throw new StreamRefusal(ErrorCode.unknownSplit, error.message);
        throw error;
      }
    },
    async prepare(split) {
      await get(split);
    },
    async close() {
      for (const cut of loaded.values()) await cut.then(({ engine }) => engine.close()).catch(() => {});
    },
  };
}

interface LoadedCut {
  readonly engine: Engine;
  readonly served: ServedStream;
}

function unknownModel(asked: string, served: string): StreamRefusal {
  return new StreamRefusal(ErrorCode.unknownModel, `model: "${asked}" is not served here, "${served}" is`);
}

function checkShape(spec: TensorSpec, engine: Engine): void {
  const wanted = engine.inputs[0]!.shape;
  const fits =
    wanted.length === spec.shape.length && wanted.every((size, i) => size === null || size === spec.shape[i]);
  if (!fits) {
    throw new StreamRefusal(
      ErrorCode.specMismatch,
      `shape: the tensor at the cut is [${wanted.join(", ")}], the stream's is [${spec.shape.join(", ")}]`,
    );
  }
}

/** Pixels may come as uint8 where the network takes float32. */
function asInput(tensor: Tensor, input: { readonly dtype: Tensor["dtype"] }): Tensor {
  if (tensor.dtype === input.dtype || input.dtype !== "float32") return tensor;
  return createTensor("float32", tensor.shape, Float32Array.from(tensor.data), tensor.layout);
}

function toPrediction({ label, name, probability }: { label: number; name: string; probability: number }) {
  // The names of the source's result format; a score has no use for more than six digits.
  return { name: String(label), description: name, score: Math.round(probability * 1e6) / 1e6 };
}
