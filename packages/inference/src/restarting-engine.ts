import { type Engine, EngineError } from "./engine.js";

export interface RestartOptions {
  /** Milliseconds on any clock that only goes forward. */
  readonly now: () => number;
  /** Crashes within a minute after which it stays down: what crashes each time would only cost time. Default 5. */
  readonly maxCrashesPerMinute?: number;
}

const minuteMs = 60_000;

/**
 * An engine that is loaded again when it has crashed. The runs that it crashed under fail with `crashed`; those after them
 * wait for the new one.
 * @throws what `load` throws the first time
 */
export async function createRestartingEngine(
  load: () => Promise<Engine>,
  { now, maxCrashesPerMinute = 5 }: RestartOptions,
): Promise<Engine> {
  const first = await load();
  const crashesMs: number[] = [];
  const lost = { completed: 0, failed: 0, refused: 0 };
  let engine = first;
  let current: Promise<Engine> = Promise.resolve(first);
  /** What has crashed and is being replaced. */
  let replaced: Engine | undefined;
  let isClosed = false;

  /** The first run that sees an engine crash has it replaced. */
  function replace(crashed: Engine): void {
    if (isClosed || engine !== crashed || replaced === crashed) return;
    const nowMs = now();
    while (crashesMs.length > 0 && crashesMs[0]! < nowMs - minuteMs) crashesMs.shift();
    // The next run tells again, and looks again: a minute later it may start anew.
    if (crashesMs.length >= maxCrashesPerMinute) return;
    crashesMs.push(nowMs);
    replaced = crashed;
    const loading = load().then((loaded) => {
      const { completed, failed, refused } = crashed.counters();
      lost.completed += completed;
      lost.failed += failed;
      lost.refused += refused;
      engine = loaded;
      if (isClosed) void loaded.close();
      return loaded;
    });
    current = loading;
    loading.catch(() => {
      // It could not even be loaded: whoever runs next finds the one that has crashed, and tries again.
      current = Promise.resolve(crashed);
      replaced = undefined;
    });
  }

  async function guard<T>(run: (engine: Engine) => Promise<T>): Promise<T> {
    const running = await current;
    try {
      return await run(running);
    } catch (error) {
      if (error instanceof EngineError && error.kind === "crashed") replace(running);
      throw error;
    }
  }

  return {
    inputs: first.inputs,
    outputs: first.outputs,
    get provider() {
      return engine.provider;
    },
    run: (inputs, options) => guard((running) => running.run(inputs, options)),
    runBatch: (samples, options) => guard((running) => running.runBatch(samples, options)),
    answer: (samples, options) => guard((running) => running.answer(samples, options)),
    counters() {
      const { pending, completed, failed, refused } = engine.counters();
      return {
        pending,
        completed: lost.completed + completed,
        failed: lost.failed + failed,
        refused: lost.refused + refused,
      };
    },
    async close() {
      isClosed = true;
      const running = await current.catch(() => engine);
      await running.close();
    },
  };
}
