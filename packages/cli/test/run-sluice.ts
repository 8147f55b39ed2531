import { spawn } from "node:child_process";
import { fileURLToPath } from "node:url";

/** The program as users start it. */
const binary = fileURLToPath(new URL("../../bin/sluice.js", import.meta.url));

/** How a run ended, and what it wrote. */
export interface SluiceRun {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** A run under way. */
export interface RunningSluice {
  /** Resolves when the program has written a line that `accepts` takes; rejects when it ends before. */
  line(accepts: (line: string) => boolean): Promise<string>;
  /** The same for what goes to stderr. */
  errorLine(accepts: (line: string) => boolean): Promise<string>;
  kill(signal: NodeJS.Signals): void;
  readonly ended: Promise<SluiceRun>;
}

/** Starts `sluice` with arguments. @param input all that it finds on its standard input, or that nothing ever comes there */
export function startSluice(
  args: readonly string[],
  environment: NodeJS.ProcessEnv = {},
  input: Uint8Array | "silent" = new Uint8Array(0),
): RunningSluice {
  const child = spawn(process.execPath, [binary, ...args], {
    env: { ...process.env, SLUICE_DEBUG: "0", ...environment },
  });
  // Whoever reads nothing has closed it.
  child.stdin.on("error", () => {});
  if (input !== "silent") child.stdin.end(input);
  let stdout = "";
  let stderr = "";
  const looks = new Set<() => void>();
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    stdout += text;
    for (const look of looks) look();
  });
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    stderr += text;
    for (const look of looks) look();
  });
  const ended = new Promise<SluiceRun>((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (code) => resolve({ code, stdout, stderr }));
  });
  function lineOf(text: () => string, accepts: (line: string) => boolean): Promise<string> {
    const found = new Promise<string>((resolve) => {
      const look = () => {
        const line = text().split("\n").slice(0, -1).find(accepts);
        if (line === undefined) return;
        looks.delete(look);
        resolve(line);
      };
      looks.add(look);
      look();
    });
    const lost = ended.then((run) => {
      throw new Error(`sluice ended with code ${run.code} before the line came\n${run.stderr}`);
    });
    return Promise.race([found, lost]);
  }
  return {
    line: (accepts) => lineOf(() => stdout, accepts),
    errorLine: (accepts) => lineOf(() => stderr, accepts),
    kill: (signal) => child.kill(signal),
    ended,
  };
}

/** Runs `sluice` to its end. */
export function runSluice(
  args: readonly string[],
  environment: NodeJS.ProcessEnv = {},
  input?: Uint8Array,
): Promise<SluiceRun> {
  return startSluice(args, environment, input).ended;
}
