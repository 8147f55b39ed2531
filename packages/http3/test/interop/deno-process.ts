import { type ChildProcessByStdio, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import type { Readable } from "node:stream";
import { fileURLToPath } from "node:url";

const ARGUMENTS = ["run", "--quiet", "--unstable-net", "--allow-net", "--no-lock", "--no-config"];
const SCENARIO_TIMEOUT_MS = 30_000;

/** The Deno to test with, `$DENO` or one on the path; `undefined` where there is none. */
export function findDeno(): { readonly path: string; readonly version: string } | undefined {
  const path = process.env["DENO"] ?? "deno";
  const { stdout, status } = spawnSync(path, ["--version"], { encoding: "utf8" });
  return status === 0 ? { path, version: stdout.split("\n", 1)[0] ?? "" } : undefined;
}

function start(path: string, script: string, parameters: readonly string[]) {
  const file = fileURLToPath(new URL(`../../../test/interop/${script}`, import.meta.url));
  return spawn(path, [...ARGUMENTS, file, ...parameters], { stdio: ["ignore", "pipe", "inherit"] });
}

/** Runs a function of `scenarios.mjs` in a process of its own, and returns what it returns. */
export async function runInDeno(path: string, call: readonly (string | number)[]): Promise<unknown> {
  const child = start(path, "deno-peer.mjs", [JSON.stringify(call)]);
  const timer = setTimeout(() => child.kill("SIGKILL"), SCENARIO_TIMEOUT_MS);
  let output = "";
  child.stdout.on("data", (part: Buffer) => {
    output += part.toString();
  });
  const [code] = (await once(child, "close")) as [number | null];
  clearTimeout(timer);
  if (code !== 0) throw new Error(`deno ended with ${code ?? "a signal"}: ${output}`);
  return JSON.parse(output);
}

/** A running `deno-server.mjs`. */
export interface DenoServer {
  readonly port: number;
  /** The next line that it prints. */
  line(): Promise<string>;
  stop(): Promise<void>;
}

export async function startDenoServer(path: string, cert: string, key: string): Promise<DenoServer> {
  const child: ChildProcessByStdio<null, Readable, null> = start(path, "deno-server.mjs", [cert, key]);
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const line = async () => String((await lines.next()).value);
  return {
    port: Number(await line()),
    line,
    async stop() {
      child.kill("SIGKILL");
      await once(child, "close");
    },
  };
}
