// What the two forms over a link share: one cell of a system.

import { runCell } from "../run-cell.mjs";
import { slowFiguresOf } from "../slow-figures.mjs";
import { summarise } from "../summary.mjs";

const WARM_UP_SECONDS = 1;

/** Options of the command line where they are given. */
export function withDefaults(options, defaults) {
  const given = Object.entries(options).filter(([, value]) => value !== undefined);
  return { ...defaults, ...Object.fromEntries(given) };
}

/** Bytes on the link for each frame that was offered, IP headers and acknowledgements included. */
function bytesPerFrame({ up, down }, offered) {
  return { up: Math.round(up.offeredBytes / offered), down: Math.round(down.offeredBytes / offered) };
}

/**
 * Measures a system over a path.
 * @param path from `openTunPath`
 * @param settings.link parameters of the path
 * @param settings.workload of the kind `paced`, without its warm-up
 * @param settings.pace from `startPace`, where it is known
 * @returns `frames` behind the warm-up, how many were `offered` with it, their `figures`, what the link counted, CPU and memory of both processes
 */
export async function measureOverLink({ congestion }, path, { system, link, task, workload, pace }) {
  if (congestion !== undefined) path.setCongestionControl(congestion);
  await path.set(link);
  const { seconds, framesPerSecond, deadlineMs } = workload;
  const watchedSeconds = seconds + WARM_UP_SECONDS;
  const { startedMs, frames, moments, counters, client, server, about } = await runCell({
    ...{ system, host: path.serverHost, prefixes: path.prefixes, task },
    workload: { kind: "paced", warmUpSeconds: WARM_UP_SECONDS, ...workload },
    async around(run) {
      // The connection was opened under the same losses; what it took does not count.
      await path.set(link);
      const [result, moments] = await Promise.all([run(), pace?.watch(watchedSeconds)]);
      return { ...result, moments, counters: await path.readCounters() };
    },
  });
  const offered = Math.round(watchedSeconds * framesPerSecond);
  return {
    ...{ frames, offered, figures: summarise(frames, { deadlineMs }), counters },
    ...(moments && {
      slow: slowFiguresOf(frames, { moments, startedMs, seconds: watchedSeconds, deadlineMs }),
    }),
    bytesPerFrame: bytesPerFrame(counters, offered),
    ...{ client, server, about },
  };
}
