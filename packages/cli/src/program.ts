import { readFileSync } from "node:fs";
import { Command } from "commander";
import { registerCalibrate } from "./calibrate-command.js";
import type { CliContext } from "./cli-context.js";
import { registerConfig } from "./config/config-command.js";
import { installConfig } from "./config/install-config.js";
import { registerConformance } from "./conformance-command.js";
import { registerDemo } from "./demo-command.js";
import { registerInspect } from "./inspect-command.js";
import { registerProfile } from "./profile-command.js";
import { registerRelay } from "./relay-command.js";
import { registerReplay } from "./replay-command.js";
import { registerServe } from "./serve-command.js";
import { registerSplit } from "./split-command.js";
import { registerStream } from "./stream-command.js";
import { registerToken } from "./tokens/token-command.js";
import { registerTrace } from "./trace-command.js";

function readVersion(): string {
  const manifest: unknown = JSON.parse(readFileSync(new URL("../package.json", import.meta.url), "utf8"));
  return typeof manifest === "object" && manifest !== null && "version" in manifest
    ? String(manifest.version)
    : "unknown";
}

/** The command line with all its commands. It throws instead of ending the process. */
export function createProgram(
  context: CliContext,
  environment: Readonly<Record<string, string | undefined>> = process.env,
): Command {
  const program = new Command("sluice")
    .description("Real-time tensor streaming over WebTransport: split inference that survives packet loss.")
    .version(readVersion(), "-V, --version", "print the version")
    .helpOption("-h, --help", "explain the command and its options")
    .helpCommand(false)
    .exitOverride()
    .configureOutput({
      writeOut: (text) => context.stdout.write(text),
      writeErr: (text) => context.stderr.write(text),
      // main says it, in one line.
      outputError: () => {},
    })
    .addHelpText(
      "after",
      `
Examples:
  $ sluice demo                                  everything on this machine, over a network that loses packets
  $ sluice serve                                 the server with the embedded model
  $ sluice stream https://127.0.0.1:4433 --cert-hash HEX
  $ sluice <command> --help

Exit codes: 0 ok, 1 internal, 2 usage, 3 refused or unreachable, 4 certificate, 5 unknown model, split, codec or
file, 6 rejected by the server, 7 session lost, 130 interrupted. SLUICE_DEBUG=1 shows where an error comes from.`,
    );
  registerServe(program, context);
  registerStream(program, context);
  registerDemo(program, context);
  registerRelay(program, context);
  registerInspect(program, context);
  registerSplit(program, context);
  registerProfile(program, context);
  registerCalibrate(program, context);
  registerReplay(program, context);
  registerTrace(program, context);
  registerConformance(program, context);
  registerConfig(program, context, environment);
  registerToken(program, context);
  installConfig(program, environment);
  return program;
}
