import { readFile } from "node:fs/promises";
import {
  type CaseResult,
  clientCases,
  createCommandSources,
  createLinePeer,
  createWaitingSources,
  formatReport,
  judgeCases,
  type LineCommand,
  matchesGlob,
  ownImplementation,
  ownVectorsDirectory,
  parseKnownFailures,
  readVectors,
  runClientSuite,
  runServerSuite,
  runVectors,
  serverCases,
} from "@sluice/conformance";
import { connect, listen } from "@sluice/http3";
import type { Command } from "commander";
import type { CliContext } from "./cli-context.js";
import { asUsage, CliError } from "./cli-error.js";
import { ExitCode } from "./exit-codes.js";
import { formatHostPort } from "./format-host-port.js";
import { type HostPort, parseHostPort } from "./host-port.js";
import { parseCertificateHash } from "./parse-certificate-hash.js";

interface ReportOptions {
  readonly knownFailures?: string;
  readonly only?: string;
  readonly json?: true;
}

interface VectorsOptions extends ReportOptions {
  readonly impl?: string;
  readonly vectors: string;
}

interface ServerOptions extends ReportOptions {
  readonly certHash?: string;
  readonly model: string;
  readonly token?: string;
}

interface ClientOptions extends ReportOptions {
  readonly listen: HostPort;
  readonly implCommand?: string;
}

/** How long somebody may take to point a client at the suite, for each case. */
const patienceMs = 300_000;

async function readKnownFailures(path: string | undefined): Promise<string[]> {
  if (path === undefined) return [];
  try {
    return parseKnownFailures(await readFile(path, "utf8"));
  } catch (cause) {
    throw new CliError(ExitCode.notFound, `--known-failures: cannot read ${path}`, { cause });
  }
}

/** The cases that `--only` leaves. */
function chosen<Case extends { readonly id: string }>(
  cases: readonly Case[],
  { only }: ReportOptions,
): readonly Case[] {
  const left = only === undefined ? cases : cases.filter(({ id }) => matchesGlob(only, id));
  if (left.length === 0) throw new CliError(ExitCode.usage, `--only: no case is called ${only}`);
  return left;
}

async function report(results: CaseResult[], options: ReportOptions, context: CliContext): Promise<void> {
  const judged = judgeCases(results, await readKnownFailures(options.knownFailures));
  context.stdout.write(options.json ? `${JSON.stringify(judged)}\n` : formatReport(judged));
  if (!judged.ok) context.exitWith(ExitCode.internal);
}

/** Words of a command line; no shell, so that no word is read twice. Double quotes keep blanks together. */
function splitCommand(text: string): LineCommand {
  const words = [...text.matchAll(/"([^"]*)"|(\S+)/g)].map(([, quoted, plain]) => quoted ?? plain!);
  const [program, ...args] = words;
  if (program === undefined) throw new CliError(ExitCode.usage, "--impl: names no program");
  return [program, ...args];
}

async function runVectorsCommand(options: VectorsOptions, context: CliContext): Promise<void> {
  await readKnownFailures(options.knownFailures);
  const sets = await readVectors(options.vectors).catch((cause: unknown) => {
    throw new CliError(ExitCode.notFound, `--vectors: cannot read ${options.vectors}`, { cause });
  });
  if (sets.length === 0) throw new CliError(ExitCode.notFound, `--vectors: no vectors in ${options.vectors}`);
  const cases = chosen(
    sets.flatMap((set) => set.cases),
    options,
  );
  const peer = createLinePeer(options.impl === undefined ? ownImplementation : splitCommand(options.impl));
  try {
    await report(await runVectors(peer, cases), options, context);
  } finally {
    await peer.close();
  }
}

async function runServerCommand(url: string, options: ServerOptions, context: CliContext): Promise<void> {
  await readKnownFailures(options.knownFailures);
  const trust = options.certHash === undefined ? {} : { certificateHash: options.certHash };
  // What cannot be reached at all is no matter of single cases.
  (await connect(url, trust)).close(0, "");
  const token = options.token === undefined ? {} : { token: new TextEncoder().encode(options.token) };
  const target = { connect: () => connect(url, trust), model: options.model, ...token };
  await report(await runServerSuite(target, chosen(serverCases, options)), options, context);
}

async function runClientCommand(options: ClientOptions, context: CliContext): Promise<void> {
  await readKnownFailures(options.knownFailures);
  const transport = await listen(options.listen);
  const { url, certificateHash } = transport;
  try {
    const sources =
      options.implCommand === undefined
        ? createWaitingSources(transport, patienceMs, context.signal)
        : createCommandSources(transport, options.implCommand);
    context.stderr.write(`listening at ${url}, certificate hash ${certificateHash}\n`);
    const announce = (id: string) => {
      if (options.implCommand === undefined) context.stderr.write(`waiting for a client: ${id}\n`);
    };
    await report(await runClientSuite(sources, announce, chosen(clientCases, options)), options, context);
  } finally {
    await transport.close();
  }
}

function addReportOptions(command: Command): Command {
  return command
    .option("--known-failures <file>", "cases that may fail, one pattern a line; one that passes fails")
    .option("--only <pattern>", "cases whose id is like this, with * for anything")
    .option("--json", "print the report as JSON");
}

/** Registers `sluice conformance vectors | server | client`. */
export function registerConformance(program: Command, context: CliContext): void {
  const command = program
    .command("conformance")
    .description("Check an implementation of the protocol: by vectors, as a server, or as a client.")
    .helpCommand(false)
    .addHelpText(
      "after",
      `
Ends with 0 only where every case passed. What is asked of an implementation, and how it is asked:
packages/conformance/README.md.

Examples:
  $ sluice conformance vectors
  $ sluice conformance vectors --impl "python3 packages/conformance/python/main.py"
  $ sluice conformance server https://127.0.0.1:4433 --cert-hash 5e1f...
  $ sluice conformance client --impl-command "my-client {url} {hash}"`,
    );
  addReportOptions(
    command
      .command("vectors")
      .description("Ask a program, over stdin and stdout, every test vector.")
      .option("--impl <command>", "the program and its arguments (default: this implementation)")
      .option("--vectors <directory>", "other vectors than those of the checkout", ownVectorsDirectory),
  ).action((options: VectorsOptions) => runVectorsCommand(options, context));
  addReportOptions(
    command
      .command("server")
      .description("Be a client of a server, well and badly behaved.")
      .argument("<url>", "the server's, such as https://127.0.0.1:4433")
      .option("--cert-hash <hex>", "trust the certificate with this SHA-256", parseCertificateHash)
      .option("--model <name>", "a model that takes six bytes as they are", "sink")
      .option("--token <text>", "bearer token, where the server asks for one"),
  ).action((url: string, options: ServerOptions) => runServerCommand(url, options, context));
  const client = command
    .command("client")
    .description("Be the server of a client, well and badly behaved: one session for each case.")
    .option(
      "--listen <host:port>",
      "UDP address; port 0 takes a free one",
      (text: string) => asUsage(() => parseHostPort(text, "--listen")),
      { host: "127.0.0.1", port: 0 },
    )
    .option(
      "--impl-command <line>",
      "a line of the shell that starts the client, with {url} and {hash} (default: wait for clients)",
    );
  for (const option of client.options)
    if (option.long === "--listen") option.defaultValueDescription = formatHostPort(option.defaultValue);
  addReportOptions(client).action((options: ClientOptions) => runClientCommand(options, context));
}
