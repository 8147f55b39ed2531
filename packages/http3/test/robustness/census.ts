import type { WorkerCensus } from "#src/quiche/messages.js";
import { sharedQuicWorker } from "#src/quiche/quic-worker.js";
import { faults } from "./serve-commands.js";

/** What a process holds after a collection. */
export interface ProcessCensus {
  readonly rssBytes: number;
  readonly heapUsedBytes: number;
  readonly worker: WorkerCensus;
  /** Sessions and servers that the main thread knows. */
  readonly clients: number;
  readonly faults: readonly string[];
}

export async function takeProcessCensus(): Promise<ProcessCensus> {
  const worker = await sharedQuicWorker().census();
  (globalThis as { gc?: () => void }).gc?.();
  const { rss, heapUsed } = process.memoryUsage();
  return { rssBytes: rss, heapUsedBytes: heapUsed, worker, clients: sharedQuicWorker().clientCount, faults };
}
