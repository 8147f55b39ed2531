/** The loaded halves of models, at most so many at once: one that no stream uses makes room for another. */
import { ErrorCode } from "@sluice/protocol";
import { type ServedStream, StreamRefusal, type StreamRequest } from "./served-model.js";

/** The half of a model behind a cut, ready to run. */
export interface LoadedHalf {
  /** What computes it, where there is a choice: a provider of onnxruntime, a backend of TensorFlow.js. */
  readonly provider?: string | undefined;
  /** @throws StreamRefusal where the stream's tensors do not fit it */
  serve(request: StreamRequest): ServedStream;
  close(): Promise<void>;
}

export interface HalfName {
  readonly model: string;
  /** Empty: the whole model. */
  readonly split: string;
}

/** A half that is ready, as it is told to operators. */
export interface LoadedNetwork extends HalfName {
  /** Empty where there is no choice. */
  readonly provider: string;
}

/** A half in use. */
export interface PooledHalf {
  readonly half: LoadedHalf;
  /** It is not needed any more; only the first call counts. */
  release(): void;
}

export interface HalfPool {
  /**
   * A half that is there, or else loaded now; all who ask for one share it.
   * @throws StreamRefusal `overloaded` where all are in use or were a moment ago, and what `load` throws
   */
  take(name: HalfName, load: () => Promise<LoadedHalf>): Promise<PooledHalf>;
  /** Those that are ready. */
  loaded(): readonly LoadedNetwork[];
  readonly isFull: boolean;
  close(): Promise<void>;
}

interface Entry {
  readonly name: HalfName;
  readonly loading: Promise<LoadedHalf>;
  /** Once it is loaded. */
  half?: LoadedHalf;
  users: number;
  /** When the last of them let go of it. */
  idleSinceMs: number;
}

/** So long a half stays that nobody uses: who asks for one cut after another must not keep the machine loading. */
export const leastIdleMs = 5_000;

/** @param now milliseconds on any clock that only goes forward */
export function createHalfPool(maxLoaded: number, now: () => number): HalfPool {
  /** Who was let go of last is last. */
  const entries = new Map<string, Entry>();

  /** What is in the way is closed first: two at once might not fit into memory. */
  async function loadInstead(old: Entry | undefined, load: () => Promise<LoadedHalf>): Promise<LoadedHalf> {
    await old?.half?.close().catch(() => {});
    return load();
  }

  function add(key: string, name: HalfName, load: () => Promise<LoadedHalf>): Entry {
    let old: Entry | undefined;
    if (entries.size >= maxLoaded) {
      const idle = [...entries].find(([, { users }]) => users === 0);
      if (!idle || now() - idle[1].idleSinceMs < leastIdleMs) {
        const message = `split: ${maxLoaded} cuts are in use or were until a moment ago, no more are loaded`;
        throw new StreamRefusal(ErrorCode.overloaded, message);
      }
      entries.delete(idle[0]);
      old = idle[1];
    }
    const entry: Entry = { name, loading: loadInstead(old, load), users: 0, idleSinceMs: now() };
    entries.set(key, entry);
    return entry;
  }

  return {
    async take(name, load) {
      const key = JSON.stringify([name.model, name.split]);
      const entry = entries.get(key) ?? add(key, name, load);
      entry.users++;
      try {
        entry.half = await entry.loading;
      } catch (error) {
        // A cut that could not be loaded may be asked for again.
        if (entries.get(key) === entry) entries.delete(key);
        throw error;
      }
      let isHeld = true;
      const release = () => {
        if (!isHeld) return;
        isHeld = false;
        if (--entry.users > 0) return;
        entry.idleSinceMs = now();
        entries.delete(key);
        entries.set(key, entry);
      };
      return { half: entry.half, release };
    },
    loaded: () =>
      [...entries.values()].flatMap(({ name, half }) =>
        half ? [{ ...name, provider: half.provider ?? "" }] : [],
      ),
    get isFull() {
      return entries.size >= maxLoaded;
    },
    async close() {
      for (const { loading } of entries.values()) await loading.then((half) => half.close()).catch(() => {});
    },
  };
}
