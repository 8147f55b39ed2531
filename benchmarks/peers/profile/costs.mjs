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

const nameOf = ({ functionName, url }) => `${functionName || "(anonymous)"}, ${placeOf(url)}`;

/**
 * What a cost is called: a native call, whose own name V8 does not always know, by the function that makes it; the
 * collector and what runs outside of any function, in brackets in V8's form, as they are.
 */
function describeNode({ callFrame }, caller) {
  const isNative = callFrame.url === "" && !callFrame.functionName.startsWith("(");
  return isNative && caller !== undefined ? `native calls of ${nameOf(caller.callFrame)}` : nameOf(callFrame);
}

/** Milliseconds that each function ran itself, by name and place, the idle left out. */
export function ownTimes({ nodes, samples, timeDeltas }) {
  const callers = new Map(nodes.flatMap((node) => (node.children ?? []).map((child) => [child, node])));
  const names = new Map(
    nodes.map((node) => [
      node.id,
      IDLE.has(node.callFrame.functionName) ? undefined : describeNode(node, callers.get(node.id)),
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
 * @returns `threads`: what each took in all, the idle left out; `costs`: the `count` largest, what and in which thread,
 *   `usPerFrame`, `share` of all time that was not idle
 */
export function largestCosts(profiles, frames, count = 10) {
  const usPerFrame = (ms) => (ms * 1_000) / frames;
  const costs = Object.entries(profiles).flatMap(([thread, profile]) =>
    [...ownTimes(profile)].map(([name, ms]) => ({ cost: name, thread, ms })),
  );
  const sum = (some) => some.reduce((total, { ms }) => total + ms, 0);
  const totalMs = sum(costs);
  return {
    totalUsPerFrame: usPerFrame(totalMs),
    threads: Object.keys(profiles).map((thread) => ({
      thread,
      usPerFrame: usPerFrame(sum(costs.filter((cost) => cost.thread === thread))),
    })),
    costs: costs
      .sort((a, b) => b.ms - a.ms)
      .slice(0, count)
      .map(({ cost, thread, ms }) => ({ cost, thread, usPerFrame: usPerFrame(ms), share: ms / totalMs })),
  };
}
