// How the path changes during a run, and the phases into which its timeline of whole seconds falls.
import { fileURLToPath } from "node:url";
import { checkTrace, formatStep, readTrace } from "../../packages/cli/dist/link-trace.js";

/** What the path is beside what a trace changes. */
export const link = { delayMs: 20, queueMs: 100, mtuBytes: 1_500, loss: 0 };

const defaultTrace = fileURLToPath(new URL("default.trace", import.meta.url));
/** A phase is at least so long: what changes sooner belongs to the one before. */
const leastSeconds = 3;
/** How long the last line of a trace holds. */
const lastSeconds = 7;

/** @returns `{ fromSeconds, seconds, name }` of each phase: those steps begin one that come late enough */
export function phasesOf(steps, totalSeconds) {
  const begins = [];
  for (const step of steps) {
    const fromSeconds = begins.length === 0 ? 0 : Math.round(step.atMs / 1_000);
    const isApart = begins.length === 0 || fromSeconds - begins.at(-1).fromSeconds >= leastSeconds;
    if (isApart && totalSeconds - fromSeconds >= leastSeconds)
      begins.push({ fromSeconds, name: formatStep(step) });
  }
  return begins.map((begin, i) => ({
    ...begin,
    seconds: (begins[i + 1]?.fromSeconds ?? totalSeconds) - begin.fromSeconds,
  }));
}

/**
 * @param path a file as `sluice relay --trace` takes it; default: the one here
 * @throws Error naming the file, and the line where one is wrong
 */
export async function openScenario(path = defaultTrace) {
  const steps = await readTrace(path);
  checkTrace(steps, { up: link, down: link });
  const totalSeconds = Math.ceil(steps.at(-1).atMs / 1_000) + lastSeconds;
  return { steps, totalSeconds, phases: phasesOf(steps, totalSeconds) };
}

/** Sums a figure of the timeline over each phase. */
export function sumPhases(phases, timeline, figure) {
  return phases.map(({ fromSeconds, seconds }) =>
    timeline.slice(fromSeconds, fromSeconds + seconds).reduce((sum, second) => sum + second[figure], 0),
  );
}
