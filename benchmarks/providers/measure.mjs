// A network on several providers in turns, so that all of them meet the machine as it is at the time.
import { differenceOf } from "../../packages/inference/dist/profile/noise.js";
import { quantile } from "../accuracy/quantile.mjs";

const maxRuns = 200;

/**
 * Yields for each provider that cannot be had why (`obstacle`), and for each batch size and each of the others how long a
 * run takes, and how far its values are from those of the first one, as a share of the largest.
 */
export async function* measureProviders(model, { providers, threads, sizes, frames, seconds, signal }) {
  const engines = [];
  try {
    for (const provider of providers) {
      const startedMs = performance.now();
      try {
        const engine = await model.network.load({ provider, threads });
        engines.push({ provider, engine, startMs: performance.now() - startedMs });
      } catch (error) {
        yield { model: model.name, provider, obstacle: error.message };
      }
    }
    for (const size of sizes) {
      const batch = frames.slice(0, size);
      const first = [];
      for (const { engine } of engines) first.push(await timed(engine, batch));
      const timesMs = engines.map(() => []);
      const endMs = performance.now() + 1_000 * seconds;
      for (let turn = 0; turn < maxRuns && (turn < 3 || performance.now() < endMs); turn++) {
        signal.throwIfAborted();
        // Who comes first has the caches of the one before: nobody always does.
        for (let i = 0; i < engines.length; i++) {
          const at = (i + turn) % engines.length;
          timesMs[at].push((await timed(engines[at].engine, batch)).ms);
        }
      }
      for (const [i, { provider, startMs }] of engines.entries()) {
        const ms = (share) => quantile(timesMs[i], share);
        yield {
          ...{
            model: model.name,
            provider,
            frames: size,
            runs: timesMs[i].length,
            startMs,
            firstMs: first[i].ms,
          },
          ...{ medianMs: ms(0.5), lowerMs: ms(0.25), upperMs: ms(0.75) },
          difference: differenceOf(first[0].results.flat(), first[i].results.flat()),
        };
      }
    }
  } finally {
    for (const { engine } of engines) await engine.close();
  }
}

async function timed(engine, batch) {
  const startedMs = performance.now();
  const results = await engine.runBatch(batch);
  return { ms: performance.now() - startedMs, results };
}
