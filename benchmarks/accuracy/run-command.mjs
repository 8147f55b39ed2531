// The frame of a benchmark's command: options, Ctrl-C, and what becomes of errors.
import process from "node:process";

const interruptedCode = 130;

/** A mistake on the command line. */
export class UsageError extends Error {}

/** A preset whose files are not here: the benchmark is skipped. */
export class MissingData extends Error {}

/** Parses the arguments of the process and runs `main(options, signal)`; Ctrl-C aborts the signal. */
export async function runCommand({ name, usage, parseOptions }, main) {
  const controller = new AbortController();
  process.once("SIGINT", () => controller.abort());
  try {
    const options = parseOptions(process.argv.slice(2));
    if (options.help) console.log(usage);
    else await main(options, controller.signal);
  } catch (error) {
    if (controller.signal.aborted) {
      process.stderr.write(`${name}: interrupted; nothing was recorded\n`);
      process.exitCode = interruptedCode;
    } else if (error instanceof MissingData) {
      process.stderr.write(`${name}: ${error.message}\n`);
    } else {
      console.error(`${name}: ${error.message}${error instanceof UsageError ? `\n\n${usage}` : ""}`);
      process.exitCode = error instanceof UsageError ? 2 : 1;
    }
  }
}
