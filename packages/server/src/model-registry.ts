/** The models that a server serves, by name and version, each loaded where clients cut it. */
import { ErrorCode } from "@sluice/protocol";
import { createHalfPool, type LoadedHalf, type LoadedNetwork, type PooledHalf } from "./half-pool.js";
import { type OpenServedStream, StreamRefusal } from "./served-model.js";

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

export interface ModelRegistry {
  readonly open: OpenServedStream;
  /** Loads a cut before the first client asks for it. @throws StreamRefusal, and what the model's `load` throws */
  prepare(model: string, split: string): Promise<void>;
  /** The models as clients may ask for them, each name's default version first. */
  readonly models: readonly string[];
  /** The halves that are ready now. */
  loaded(): readonly LoadedNetwork[];
  /** Whether as many are loaded as may be. */
  readonly isFull: boolean;
  close(): Promise<void>;
}

export interface ModelRegistryOptions {
  /**
   * Halves that are held at once over all models; each is a loaded network. Where that many are and another one is asked for,
   * the one goes that no stream has used for longest. Default 8.
   */
  readonly maxLoaded?: number;
  /** Milliseconds on any clock that only goes forward. Default `performance.now`. */
  readonly now?: () => number;
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
  const { maxLoaded = 8, now = () => performance.now() } = options;
  const halves = createHalfPool(maxLoaded, now);
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

  function take(model: ServableModel, split: string): Promise<PooledHalf> {
    return halves.take({ model: modelReference(model), split }, () => model.load(split));
  }

  return {
    async open(request) {
      const model = find(request.model);
      const { half, release } = await take(model, request.split);
      try {
        return { ...half.serve(request), model: modelReference(model), release };
      } catch (error) {
        release();
        throw error;
      }
    },
    async prepare(model, split) {
      (await take(find(model), split)).release();
    },
    models: [...byReference.keys()],
    loaded: halves.loaded,
    get isFull() {
      return halves.isFull;
    },
    close: halves.close,
  };
}

/** Characters of names that a refusal repeats. */
const maxQuoted = 400;

/** By the numbers in them, 10 after 9; what has no version comes first. */
export function compareVersions(a: string, b: string): number {
  return a.localeCompare(b, "en", { numeric: true });
}
