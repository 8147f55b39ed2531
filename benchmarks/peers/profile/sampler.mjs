// Samples where a thread is, by V8's profiler: of this thread, and of the worker that owns QUIC.
import { mkdirSync, writeFileSync } from "node:fs";
import { Session } from "node:inspector";
import { join } from "node:path";
import { BroadcastChannel } from "node:worker_threads";
import { configureQuicWorker, sharedQuicWorker } from "../../../packages/http3/dist/quiche/quic-worker.js";

const INTERVAL_US = 200;
export const CHANNEL = "sluice-profile";

/** Samples from now on; the function that it returns ends that and gives the profile in V8's form. */
function startSampling() {
  const session = new Session();
  session.connect();
  const ask = (method, parameters) => {
    let result;
    // Within its own thread a session answers before it returns.
    session.post(method, parameters, (error, answer) => {
      if (error) throw error;
      result = answer;
    });
    return result;
  };
  ask("Profiler.enable");
  ask("Profiler.setSamplingInterval", { interval: INTERVAL_US });
  ask("Profiler.start");
  return () => ask("Profiler.stop").profile;
}

/** Lets this thread be told by {@link sampleThreads} to sample itself. */
export function followSampling(threadName) {
  const channel = new BroadcastChannel(CHANNEL);
  let stop;
  channel.onmessage = ({ data: { action, folder } }) => {
    if (action === "start") stop = startSampling();
    if (action !== "stop" || stop === undefined) return;
    writeFileSync(join(folder, `${threadName}.cpuprofile`), JSON.stringify(stop()));
    stop = undefined;
    channel.postMessage({ action: "written" });
  };
  channel.unref();
}

/** To be called before the first session: QUIC's thread, which one of ours wraps, follows as well. */
export function prepareWorker() {
  configureQuicWorker({ entry: new URL("sampled-worker.mjs", import.meta.url) });
}

/** Samples this thread and the worker, if QUIC runs in one. @returns what ends that: `main.cpuprofile` and `worker.cpuprofile` are in the folder */
export function sampleThreads(folder) {
  mkdirSync(folder, { recursive: true });
  const channel = new BroadcastChannel(CHANNEL);
  const stop = startSampling();
  channel.postMessage({ action: "start" });
  return async () => {
    const hasWorker = sharedQuicWorker().name === "worker";
    const written =
      !hasWorker ||
      new Promise((resolve) => {
        channel.onmessage = ({ data }) => {
          if (data.action === "written") resolve();
        };
      });
    channel.postMessage({ action: "stop", folder });
    writeFileSync(join(folder, "main.cpuprofile"), JSON.stringify(stop()));
    await written;
    channel.close();
  };
}
