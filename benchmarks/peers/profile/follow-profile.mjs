let stopSampling;

/** What a process does when it is asked to `prepare`, `start` or `stop` its profile. The sampler is loaded only then. */
export async function followProfile({ action, folder }) {
  const { prepareWorker, sampleThreads } = await import("./sampler.mjs");
  if (action === "prepare") prepareWorker();
  if (action === "start") stopSampling = sampleThreads(folder);
  if (action === "stop") await stopSampling();
  return {};
}
