// What a process holds, seen from inside and after a collection.
import { readdirSync } from "node:fs";
import { monitorEventLoopDelay } from "node:perf_hooks";
import process from "node:process";
import { setImmediate } from "node:timers/promises";
import { sharedQuicWorker } from "../../packages/http3/dist/quiche/quic-worker.js";

const lag = monitorEventLoopDelay({ resolution: 20 });
lag.enable();

/** A worker that dies does not answer. */
const censusMs = 3_000;

/**
 * Memory in bytes, the event loop's delay since the last look in milliseconds, open files, and what keeps the loop.
 * @returns {Promise<object>} a plain object
 */
export async function look() {
  const ms = (nanoseconds) => Math.round(nanoseconds / 1e5) / 10;
  const loop = { p99Ms: ms(lag.percentile(99)), maxMs: ms(lag.max) };
  const {
    connections,
    connectionIds,
    sessions,
    heapUsedBytes = 0,
    arrayBufferBytes = 0,
  } = await takeCensus();
  // Buffers are given back by finalizers, which run between two turns.
  for (let i = 0; i < 3; i++) {
    globalThis.gc?.();
    await setImmediate();
  }
  lag.reset();
  const { rss, heapUsed, external } = process.memoryUsage();
  return {
    ...{ rssBytes: rss, heapBytes: heapUsed + external + heapUsedBytes + arrayBufferBytes, loop },
    parts: { main: heapUsed, external, transport: heapUsedBytes, transportBuffers: arrayBufferBytes },
    ...{
      quic: { connections, connectionIds, sessions },
      files: count("/proc/self/fd"),
      threads: count("/proc/self/task"),
    },
    resources: countNames(process.getActiveResourcesInfo()),
  };
}

function takeCensus() {
  const late = new Promise((resolve) => {
    setTimeout(resolve, censusMs, {}).unref();
  });
  return Promise.race([sharedQuicWorker().census(), late]);
}

function count(directory) {
  try {
    return readdirSync(directory).length;
  } catch {
    return null;
  }
}

function countNames(names) {
  const counts = {};
  for (const name of names) counts[name] = (counts[name] ?? 0) + 1;
  return counts;
}
