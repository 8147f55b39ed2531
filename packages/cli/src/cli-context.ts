import { ExitCode } from "./exit-codes.js";

/** Takes text: a stream of the process, or a test's collector. */
export interface TextSink {
  write(text: string): unknown;
}

/** What a command has of the world around it. */
export interface CliContext {
  /** Results; with `--json` nothing but JSON, one object a line. */
  readonly stdout: TextSink;
  /** Progress and errors. */
  readonly stderr: TextSink;
  /** Aborted by the first SIGINT or SIGTERM: the command ends in order. A second one ends the process. */
  readonly signal: AbortSignal;
  /** Whether stderr is a terminal: lines that overwrite themselves are welcome. */
  readonly isTty: boolean;
  /** Says what the process ends with where nothing is thrown. */
  exitWith(code: ExitCode): void;
}

/** A context over the process. */
export interface ProcessContext extends CliContext {
  readonly exitCode: () => ExitCode;
  /** Lets go of the process' signals. */
  release(): void;
}

export function createProcessContext(): ProcessContext {
  const abort = new AbortController();
  let exitCode: ExitCode = ExitCode.ok;
  const onSignal = (): void => {
    // Whoever asks twice does not want to wait.
    if (abort.signal.aborted) process.exit(ExitCode.interrupted);
    abort.abort();
  };
  // The reader has gone (`sluice inspect ... | head`): there is nobody to write to.
  const onPipe = (error: NodeJS.ErrnoException): void => {
    if (error.code !== "EPIPE") throw error;
    abort.abort();
  };
  process.on("SIGINT", onSignal);
  process.on("SIGTERM", onSignal);
  process.stdout.on("error", onPipe);
  return {
    stdout: process.stdout,
    stderr: process.stderr,
    signal: abort.signal,
    isTty: process.stderr.isTTY === true,
    exitWith(code) {
      exitCode = code;
    },
    exitCode: () => exitCode,
    release() {
      process.off("SIGINT", onSignal);
      process.off("SIGTERM", onSignal);
    },
  };
}
