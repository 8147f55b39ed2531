import { BroadcastChannel } from "node:worker_threads";
import { configureQuicWorker } from "#src/quiche/quic-worker.js";

/** What can go wrong in a worker. `stuckUntil`: it runs native code until that file exists. */
export type Fault = "hang" | "throw" | "reject" | "exit" | { readonly stuckUntil: string };

export const FAULTS_CHANNEL = "sluice-test-worker-faults";

/** Lets this process run workers that take faults; returns what injects one. To be called before any engine is used. */
export function runFaultyWorkers(): (fault: Fault) => void {
  configureQuicWorker({
    entry: new URL("./faulty-worker.js", import.meta.url),
    watchdog: { intervalMs: 400, looks: 5, startMs: 60_000 },
  });
  const channel = new BroadcastChannel(FAULTS_CHANNEL);
  channel.unref();
  return (fault) => channel.postMessage(fault);
}
