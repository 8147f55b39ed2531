// What a CPU profile says of a hot path: time of its own of every function, by where it stands in this repository.

/** Where V8 puts what is not the program's work. */
const IDLE = new Set(["(idle)", "(root)"]);

/** `packages/http3/dist/quiche/pacer.js` as `http3/quiche/pacer`; a package of npm by its name. */
export function placeOf(url) {
  const own = /\/packages\/([^/]+)\/dist\/(.+?)\.js$/.exec(url);
  if (own) return `${own[1]}/${own[2]}`;
  const foreign = /\/node_modules\/((?:@[^/]+\/)?[^/]+)\/(?!.*\/node_modules\/)/.exec(url);
  if (foreign) return foreign[1];
  if (url.startsWith("node:")) return url;
  const benchmark = /\/benchmarks\/(.+?)\.mjs$/.exec(url);
  return benchmark ? `benchmarks/${benchmark[1]}` : url || "V8";
}

/** Milliseconds that each function ran itself, by place and name, the idle left out. */
export function ownTimes({ nodes, samples, timeDeltas }) {
  const names = new Map(
    nodes.map(({ id, callFrame: { functionName, url } }) => [
      id,
      IDLE.has(functionName) ? undefined : `${functionName || "(anonymous)"}, ${placeOf(url)}`,
    ]),
  );
  const times = new Map();
  samples.forEach((id, i) => {
    const name = names.get(id);
    // A sample stands for the time until the next one.
    const ms = (timeDeltas[i + 1] ?? 0) / 1_000;
    if (name !== undefined) times.set(name, (times.get(name) ?? 0) + ms);
  });
  return times;
}

/**
 * The largest costs of some threads.
 * @param profiles by the name of the thread
 * @returns `cost`: what and in which thread, `usPerFrame`, `share` of all time that was not idle
 */
export function largestCosts(profiles, frames, count = 10) {
  const costs = Object.entries(profiles).flatMap(([thread, profile]) =>
    [...ownTimes(profile)].map(([name, ms]) => ({ cost: name, thread, ms })),
  );
  const totalMs = costs.reduce((sum, { ms }) => sum + ms, 0);
  return {
    totalUsPerFrame: (totalMs * 1_000) / frames,
    costs: costs
      .sort((a, b) => b.ms - a.ms)
      .slice(0, count)
      .map(({ cost, thread, ms }) => ({
        cost,
        thread,
        usPerFrame: (ms * 1_000) / frames,
        share: ms / totalMs,
      })),
  };
}
