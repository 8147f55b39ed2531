import type { Test } from "tap";
import { type RunningSluice, startSluice } from "./run-sluice.js";

/** What a server prints when it listens. */
export interface Listening {
  readonly url: string;
  readonly certHash: string;
  readonly metricsUrl: string;
  /** With `--demo`. */
  readonly pageUrl?: string;
}

/** Starts `sluice serve` on a free port for the time of a test. */
export async function startServer(t: Test, options: readonly string[]): Promise<[RunningSluice, Listening]> {
  const where = ["--listen", "127.0.0.1:0", "--metrics", "127.0.0.1:0"];
  const server = startSluice(["serve", ...where, ...options]);
  t.teardown(() => server.kill("SIGKILL"));
  return [server, JSON.parse(await server.line((line) => line.includes('"listening"')))];
}
