import { once } from "node:events";
import { createRelay, parseDurationMs, type RelayDirectionStats, type RelayStats } from "@sluice/simnet";
import type { Command } from "commander";
import type { CliContext } from "./cli-context.js";
import { asUsage, CliError } from "./cli-error.js";
import { ExitCode } from "./exit-codes.js";
import { formatHostPort } from "./format-host-port.js";
import { formatBytes, formatTable } from "./format-table.js";
import { type HostPort, parseHostPort } from "./host-port.js";
import {
  addLinkOptions,
  DEFAULT_MTU,
  describeLink,
  type LinkOptionValues,
  parseSeed,
  readLinkOptions,
} from "./link-options.js";
import { checkTrace, formatStep, playTrace, readTrace, type TraceStep, traceHelp } from "./link-trace.js";

interface RelayCommandOptions extends LinkOptionValues {
  readonly listen: HostPort;
  readonly target: HostPort;
  readonly seed: number | string;
  readonly rebind?: number;
  readonly trace?: string;
  readonly json?: true;
}

/** The longest that a timer takes, 24 days. */
const MAX_INTERVAL_MS = 2 ** 31 - 1;

const columns = [
  { title: "direction" },
  ...[
    "offered",
    "bytes",
    "forwarded",
    "lost",
    "queue full",
    "too big",
    "overtaken",
    "twice",
    "corrupted",
    "other drops",
  ].map((title) => ({ title, align: "right" as const })),
];

function row(name: string, stats: RelayDirectionStats): string[] {
  const other = stats.droppedOverflow + stats.droppedPeers + stats.droppedPeer + stats.droppedSocket;
  return [
    name,
    String(stats.offered),
    formatBytes(stats.offeredBytes),
    ...[stats.forwarded, stats.droppedLoss, stats.droppedQueue, stats.droppedMtu].map(String),
    ...[stats.reordered, stats.duplicated, stats.corrupted, other].map(String),
  ];
}

function formatStats({ up, down }: RelayStats): string {
  return formatTable(columns, [row("up", up), row("down", down)]);
}

/** Asked of the relay before it starts, so that a slip in an option is the user's and not ours. */
async function startRelay(
  options: RelayCommandOptions,
  trace: readonly TraceStep[],
  onFirstPacket: () => void,
) {
  const links = readLinkOptions(options);
  const { listen, target, seed } = options;
  asUsage(() => checkTrace(trace, links));
  if (target.port === 0) throw new CliError(ExitCode.usage, "--target: needs a port other than 0");
  try {
    return { relay: await createRelay({ listen, target, seed, ...links, onFirstPacket }), links };
  } catch (error) {
    return asUsage(() => {
      throw error;
    });
  }
}

async function runRelay(options: RelayCommandOptions, context: CliContext): Promise<void> {
  const trace = options.trace === undefined ? [] : await readTrace(options.trace);
  let stopTrace = () => {};
  const { relay, links } = await startRelay(options, trace, () => {
    stopTrace = playTrace(trace, relay, (step) => tellStep(step, options.json === true, context));
  });
  const listen = formatHostPort(relay.address);
  const target = formatHostPort(options.target);
  context.stdout.write(
    options.json
      ? `${JSON.stringify({ event: "listening", address: listen, target, seed: options.seed, ...links })}\n`
      : `relay ${listen} -> ${target}, seed ${options.seed}\n  up    ${describeLink(links.up)}\n  down  ${describeLink(links.down)}\n`,
  );
  // Where no port is free the clients keep theirs.
  const rebind = () => void relay.rebind().catch(() => {});
  const rebinding = options.rebind === undefined ? undefined : setInterval(rebind, options.rebind);
  if (!context.signal.aborted) await once(context.signal, "abort");
  clearInterval(rebinding);
  stopTrace();
  const stats = relay.stats();
  await relay.close();
  context.stdout.write(
    options.json ? `${JSON.stringify({ event: "closed", ...stats })}\n` : `\n${formatStats(stats)}`,
  );
}

function tellStep(step: TraceStep, isJson: boolean, context: CliContext): void {
  context.stdout.write(isJson ? `${JSON.stringify({ event: "trace", ...step })}\n` : `${formatStep(step)}\n`);
}

function parseInterval(text: string): number {
  return asUsage(() => {
    const ms = parseDurationMs(text, "--rebind");
    if (ms >= 1 && ms <= MAX_INTERVAL_MS) return ms;
    throw new RangeError(`--rebind: must be from 1ms to 24 days, got "${text}"`);
  });
}

/** Registers `sluice relay`. */
export function registerRelay(program: Command, context: CliContext): void {
  const command = program
    .command("relay")
    .description(
      "Relay UDP to a server like a network that is slow and loses packets, the same way each time.",
    )
    .option(
      "--listen <host:port>",
      "where clients send to; port 0 takes a free one",
      (text: string) => asUsage(() => parseHostPort(text, "--listen")),
      { host: "127.0.0.1", port: 4434 },
    )
    .option(
      "--target <host:port>",
      "the server",
      (text: string) => asUsage(() => parseHostPort(text, "--target")),
      {
        host: "127.0.0.1",
        port: 4433,
      },
    );
  for (const option of command.options) option.defaultValueDescription = formatHostPort(option.defaultValue);
  addLinkOptions(command, { mtu: DEFAULT_MTU })
    .option(
      "--rebind <time>",
      "give every client a new port at the server so often, as a NAT does",
      parseInterval,
    )
    .option("--trace <file>", "change both directions at the times that a file says, see below")
    .option("--seed <seed>", "decides what is lost and delayed", parseSeed, 1)
    .option("--json", "print JSON, one object a line")
    .addHelpText(
      "after",
      `
Prints where it listens, then relays until Ctrl-C and ends with what it counted. All options apply to each direction.
${traceHelp}
Examples:
  $ sluice relay --delay 20ms --loss 3%
  $ sluice relay --listen 127.0.0.1:5000 --target 10.0.0.7:4433 --rate 5mbit --queue 50ms
  $ sluice relay --delay 20ms --trace commute.trace
  $ sluice relay --loss 2% --burst 4 --up rate=2mbit,loss=10% --seed 7`,
    )
    .action((options: RelayCommandOptions) => runRelay(options, context));
}
