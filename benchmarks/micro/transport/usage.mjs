import { readFileSync } from "node:fs";
import process from "node:process";

/** Milliseconds that the main thread has been on a CPU; `undefined` where the system does not say. */
function readMainThreadMs() {
  try {
    // Linux, Documentation/scheduler/sched-stats.rst: the first field is nanoseconds spent on the CPU.
    return Number(readFileSync(`/proc/self/task/${process.pid}/schedstat`, "utf8").split(" ", 1)[0]) / 1e6;
  } catch {
    return undefined;
  }
}

function read() {
  const { user, system } = process.cpuUsage();
  return { atMs: performance.now(), cpuMs: (user + system) / 1000, mainMs: readMainThreadMs() };
}

/**
 * Starts to watch this process; the function that it returns says what was used since.
 * `cpuMs` counts all threads, `mainShare` is the share of one core that the main thread took, 0 to 1.
 */
export function watchUsage() {
  const start = read();
  return () => {
    const end = read();
    const elapsedMs = end.atMs - start.atMs;
    const hasMain = start.mainMs !== undefined && end.mainMs !== undefined;
    return {
      elapsedMs,
      cpuMs: end.cpuMs - start.cpuMs,
      ...(hasMain ? { mainShare: (end.mainMs - start.mainMs) / elapsedMs } : {}),
    };
  };
}

/** Resolves after `durationMs`. */
export const pause = (durationMs) => new Promise((resolve) => setTimeout(resolve, durationMs));

/**
 * Waits out the warm-up, then measures for `seconds`: `onStart` at the beginning of that window.
 * Returns the usage within it.
 */
export async function measureWindow({ warmUpMs, seconds }, onStart) {
  await pause(warmUpMs);
  onStart();
  const usage = watchUsage();
  await pause(seconds * 1000);
  return usage();
}
