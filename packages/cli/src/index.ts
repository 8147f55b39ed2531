export type { CliContext, ProcessContext, TextSink } from "./cli-context.js";
export { ExitCode } from "./exit-codes.js";
export { main } from "./main.js";
