import { ClientError } from "@sluice/client";
import { EngineError, ModelError } from "@sluice/inference";
import { ErrorCode, ProtocolError } from "@sluice/protocol";
import { StreamRefusal } from "@sluice/server";
import { TensorError } from "@sluice/tensor";
import { ConnectError, StreamError } from "@sluice/transport";
import { CommanderError } from "commander";
import { CliError } from "./cli-error.js";
import { ExitCode } from "./exit-codes.js";

/** What is said about an error, and what the process ends with. */
export interface ErrorExplanation {
  readonly exitCode: ExitCode;
  /** One line. */
  readonly message: string;
}

const connectCodes: Readonly<Record<ConnectError["kind"], ExitCode>> = {
  refused: ExitCode.unreachable,
  timeout: ExitCode.unreachable,
  certificate: ExitCode.certificate,
  rejected: ExitCode.rejected,
  "bad-url": ExitCode.usage,
  engine: ExitCode.internal,
};

const engineCodes: Readonly<Record<EngineError["kind"], ExitCode>> = {
  "not-available": ExitCode.internal,
  "load-failed": ExitCode.notFound,
  "bad-input": ExitCode.notFound,
  "queue-full": ExitCode.internal,
  "run-failed": ExitCode.internal,
  crashed: ExitCode.internal,
  unreachable: ExitCode.unreachable,
  timeout: ExitCode.unreachable,
  closed: ExitCode.internal,
};

const clientCodes: Readonly<Record<ClientError["kind"], ExitCode>> = {
  "session-closed": ExitCode.sessionLost,
  "stream-rejected": ExitCode.rejected,
};

/** Node's codes of system errors. */
const systemCodes: Readonly<Record<string, ExitCode>> = {
  ENOENT: ExitCode.notFound,
  ENOTDIR: ExitCode.notFound,
  EISDIR: ExitCode.notFound,
  EADDRINUSE: ExitCode.unreachable,
  EADDRNOTAVAIL: ExitCode.unreachable,
  ECONNREFUSED: ExitCode.unreachable,
  EHOSTUNREACH: ExitCode.unreachable,
  ENETUNREACH: ExitCode.unreachable,
  ENOTFOUND: ExitCode.unreachable,
  EAI_AGAIN: ExitCode.unreachable,
};

/** The words for system errors that users meet; Node's own name the system call first. */
const systemWords: Readonly<Record<string, string>> = {
  ENOENT: "there is no such file or folder",
  ENOTDIR: "a part of the path is no folder",
  EISDIR: "is a folder",
  EADDRINUSE: "the address is in use already",
  EADDRNOTAVAIL: "the address is not one of this machine",
  EACCES: "permission denied",
  ENOTFOUND: "there is no such host",
  EAI_AGAIN: "the host's name cannot be resolved now",
};

interface SystemError extends Error {
  readonly code: string;
  readonly address?: string;
  readonly port?: number;
  readonly hostname?: string;
  readonly path?: string;
}

function isSystemError(error: unknown): error is SystemError {
  return error instanceof Error && "code" in error && typeof error.code === "string" && "syscall" in error;
}

function systemMessage(error: SystemError): string {
  const words = systemWords[error.code];
  if (words === undefined) return error.message;
  const where = error.path ?? error.hostname ?? error.address;
  if (where === undefined) return words;
  return `${where}${error.port === undefined ? "" : `:${error.port}`}: ${words}`;
}

/** Commander writes "error: unknown option '--lsten'\n(Did you mean --listen?)". */
function commanderMessage(message: string): string {
  return message.replace(/^error: /, "").replace(/\s*\n\(Did you mean (.*)\?\)$/, ", did you mean $1?");
}

function exitCodeOf(error: unknown): ExitCode {
  if (error instanceof CliError) return error.exitCode;
  if (error instanceof CommanderError) return ExitCode.usage;
  if (error instanceof ConnectError) {
    // The engine listens in a worker thread, from where only the text of a system error comes.
    if (/\b(?:EADDRINUSE|EADDRNOTAVAIL)\b/.test(error.message)) return ExitCode.unreachable;
    return connectCodes[error.kind];
  }
  // A session that was never let in was not lost.
  if (error instanceof ClientError && error.code === ErrorCode.unauthorized) return ExitCode.rejected;
  if (error instanceof ClientError) return clientCodes[error.kind];
  if (error instanceof StreamError || error instanceof ProtocolError) return ExitCode.sessionLost;
  if (error instanceof ModelError || error instanceof StreamRefusal) return ExitCode.notFound;
  if (error instanceof EngineError) return engineCodes[error.kind];
  // The only field whose text the user writes; any other is a fault of ours.
  if (error instanceof TensorError && error.field.startsWith("codec")) return ExitCode.notFound;
  if (isSystemError(error)) return systemCodes[error.code] ?? ExitCode.internal;
  // Parsers put the option first: "--listen: must be HOST:PORT ...".
  if (error instanceof RangeError && error.message.startsWith("--")) return ExitCode.usage;
  if (error instanceof Error && error.name === "AbortError") return ExitCode.interrupted;
  return ExitCode.internal;
}

function messageOf(error: unknown): string {
  if (error instanceof CommanderError) return commanderMessage(error.message);
  if (isSystemError(error)) return systemMessage(error);
  if (!(error instanceof Error)) return String(error);
  return error.message === "" ? error.name : error.message;
}

/** Explains whatever a command threw, in one line. */
export function explainError(error: unknown): ErrorExplanation {
  const message = messageOf(error)
    .trim()
    .replace(/\s*\n\s*/g, "; ");
  return { exitCode: exitCodeOf(error), message };
}
