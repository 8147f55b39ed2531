/** The models that a server serves, by name and version, each loaded where clients cut it. */
import { ErrorCode } from "@sluice/protocol";
import {
  type OpenServedStream,
  type ServedStream,
  StreamRefusal,
  type StreamRequest,
} from "./served-model.js";

/** A model that can be loaded. */
export interface ServableModel {
  /** Without `@`. */
  readonly name: string;
  /** Digits, letters, dots and dashes; empty for a model without versions. */
  readonly version: string;
  /**
   * Loads the half behind a cut (empty: the whole model), runs it warm and measures what batches cost.
   * @throws StreamRefusal where the model cannot be cut there
   */
  load(split: string): Promise<LoadedHalf>;
}

/** The half of a model behind a cut, ready to run. */
export interface LoadedHalf {
  /** What computes it, where there is a choice: a provider of onnxruntime, a backend of TensorFlow.js. */
  readonly provider?: string | undefined;
  /** @throws StreamRefusal where the stream's tensors do not fit it */
  serve(request: StreamRequest): ServedStream;
  close(): Promise<void>;
}

export interface ModelRegistry {
  readonly open: OpenServedStream;
  /** Loads a cut before the first client asks for it. @throws StreamRefusal, and what the model's `load` throws */
  prepare(model: string, split: string): Promise<void>;
  /** The models as clients may ask for them, each name's default version first. */
  readonly models: readonly string[];
  /** The halves that are ready now. */
  loaded(): readonly LoadedNetwork[];
  close(): Promise<void>;
}

/** A half that is ready, as it is told to operators. */
export interface LoadedNetwork {
  readonly model: string;
  /** Empty: the whole model. */
  readonly split: string;
  /** Empty where there is no choice. */
  readonly provider: string;
}

export interface ModelRegistryOptions {
  /** Halves that are held at once over all models; each is a loaded network. Default 8. */
  readonly maxLoaded?: number;
}

/** A model as it is asked for: `name@version`, or `name` where it has none. */
export function modelReference({ name, version }: Pick<ServableModel, "name" | "version">): string {
  return version === "" ? name : `${name}@${version}`;
}

/**
 * A client that names no version gets the highest, by the numbers in it. A model is loaded once for each cut, when it is
 * first asked for; streams of one cut share it.
 * @throws RangeError where two models have the same name and version
 */
export function createModelRegistry(
  models: readonly ServableModel[],
  options: ModelRegistryOptions = {},
): ModelRegistry {
  const { maxLoaded = 8 } = options;
  const loaded = new Map<string, Promise<LoadedHalf>>();
  const ready = new Map<string, () => LoadedNetwork>();
  const byReference = new Map<string, ServableModel>();
  const sorted = [...models].sort((a, b) => compareVersions(b.version, a.version));
  for (const model of sorted) {
    const reference = modelReference(model);
    if (byReference.has(reference)) {
      throw new RangeError(
        `"${reference}" is given twice; another name or version keeps them apart, as in NAME@2=FILE`,
      );
    }
    byReference.set(reference, model);
  }

  function find(asked: string): ServableModel {
    const model = byReference.get(asked) ?? sorted.find(({ name }) => name === asked);
    if (model) return model;
    const served = [...byReference.keys()].join(", ");
    throw new StreamRefusal(
      ErrorCode.unknownModel,
      `model: "${asked.slice(0, maxQuoted)}" is not served here; served: ${served.slice(0, maxQuoted)}`,
    );
  }

  function get(model: ServableModel, split: string): Promise<LoadedHalf> {
    const key = JSON.stringify([modelReference(model), split]);
    let half = loaded.get(key);
    if (half) return half;
    if (loaded.size >= maxLoaded) {
      throw new StreamRefusal(
        ErrorCode.overloaded,
        `split: ${maxLoaded} cuts are in use, no more are loaded`,
      );
    }
    half = model.load(split);
    loaded.set(key, half);
    // A cut that could not be loaded may be asked for again.
    half.then(
      (it) => ready.set(key, () => ({ model: modelReference(model), split, provider: it.provider ?? "" })),
      () => loaded.delete(key),
    );
    return half;
  }

  return {
    async open(request) {
      const model = find(request.model);
      const half = await get(model, request.split);
      return { ...half.serve(request), model: modelReference(model) };
    },
    async prepare(model, split) {
      await get(find(model), split);
    },
    models: [...byReference.keys()],
    loaded: () => [...ready.values()].map((describe) => describe()),
    async close() {
      for (const half of loaded.values()) await half.then((it) => it.close()).catch(() => {});
    },
  };
}

/** Characters of names that a refusal repeats. */
const maxQuoted = 400;

/** By the numbers in them, 10 after 9; what has no version comes first. */
export function compareVersions(a: string, b: string): number {
  return a.localeCompare(b, "en", { numeric: true });
}
