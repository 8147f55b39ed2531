import process from "node:process";

/** What this process has used since its start: CPU seconds of all threads, bytes of memory now and at most. */
export function readUsage() {
  const { user, system } = process.cpuUsage();
  return {
    cpuSeconds: (user + system) / 1e6,
    rssBytes: process.memoryUsage().rss,
    peakRssBytes: process.resourceUsage?.().maxRSS * 1024 || undefined,
  };
}
