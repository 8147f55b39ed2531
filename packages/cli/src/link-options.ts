import { type LinkParameters, parseDurationMs, parsePercentOrFraction, parseRate } from "@sluice/simnet";
import type { Command } from "commander";
import { asUsage, CliError } from "./cli-error.js";
import { ExitCode } from "./exit-codes.js";
import { parseCount } from "./parse-count.js";

interface LinkOption {
  readonly flags: string;
  readonly help: string;
  readonly parse: (text: string, option: string) => LinkParameters;
}

const byteUnits: Readonly<Record<string, number>> = { B: 1, kB: 1e3, MB: 1e6, KiB: 1024, MiB: 1024 ** 2 };

/** The bottleneck's queue, by what waits in it or by how long. */
function parseQueue(text: string, option: string): LinkParameters {
  const bytes = /^(\d{1,12}) ?(B|kB|MB|KiB|MiB)$/.exec(text.trim());
  if (bytes !== null) return { queueBytes: Number(bytes[1]) * byteUnits[bytes[2]!]! };
  try {
    return { queueMs: parseDurationMs(text, option) };
  } catch {
    throw new RangeError(
      `${option}: expected a duration such as 100ms or a size such as 64kB, got "${text}"`,
    );
  }
}

function parseBurst(text: string, option: string): LinkParameters {
  const burst = /^\d{1,6}(\.\d{1,6})?$/.test(text) ? Number(text) : 0;
  if (burst < 1) throw new RangeError(`${option}: expected a number of packets from 1, got "${text}"`);
  return { burst };
}

/** What can be said about a direction, by name; `--delay 20ms` and `--up delay=20ms` mean the same there. */
const linkOptions = {
  rate: {
    flags: "--rate <rate>",
    help: "bottleneck, such as 20mbit, 500kbit or unlimited",
    parse: (text, option) => ({ rateBitsPerSecond: parseRate(text, option) }),
  },
  delay: {
    flags: "--delay <time>",
    help: "propagation delay, each way",
    parse: (text, option) => ({ delayMs: parseDurationMs(text, option) }),
  },
  jitter: {
    flags: "--jitter <time>",
    help: "the delay wanders up by as much, in order",
    parse: (text, option) => ({ jitterMs: parseDurationMs(text, option) }),
  },
  loss: {
    flags: "--loss <share>",
    help: "share of packets lost, such as 3% or 0.03",
    parse: (text, option) => ({ loss: parsePercentOrFraction(text, option) }),
  },
  burst: { flags: "--burst <packets>", help: "mean number of packets lost in a row", parse: parseBurst },
  queue: {
    flags: "--queue <size>",
    help: "queue before the bottleneck, such as 100ms or 64kB",
    parse: parseQueue,
  },
  mtu: {
    flags: "--mtu <bytes>",
    help: "larger packets are dropped (IP and UDP headers count)",
    parse: (text, option) => ({ mtuBytes: parseCount(text, option, 1, 65535) }),
  },
  reorder: {
    flags: "--reorder <share>",
    help: "share of packets held back by up to 10 ms",
    parse: (text, option) => ({ reorder: parsePercentOrFraction(text, option) }),
  },
  duplicate: {
    flags: "--duplicate <share>",
    help: "share of packets that arrive twice",
    parse: (text, option) => ({ duplicate: parsePercentOrFraction(text, option) }),
  },
  corrupt: {
    flags: "--corrupt <share>",
    help: "share of packets of which some bits change",
    parse: (text, option) => ({ corrupt: parsePercentOrFraction(text, option) }),
  },
} as const satisfies Readonly<Record<string, LinkOption>>;

type LinkKey = keyof typeof linkOptions;
const linkKeys = Object.keys(linkOptions) as LinkKey[];

function isLinkKey(key: string): key is LinkKey {
  return Object.hasOwn(linkOptions, key);
}

/** `delay=20ms,loss=3%` @throws RangeError naming `option` */
export function parseLinkPairs(text: string, option: string): LinkParameters {
  let parameters: LinkParameters = {};
  for (const pair of text.split(",")) {
    const equals = pair.indexOf("=");
    const key = pair.slice(0, Math.max(equals, 0)).trim();
    if (!isLinkKey(key)) {
      throw new RangeError(`${option}: expected KEY=VALUE with one of ${linkKeys.join(", ")}, got "${pair}"`);
    }
    parameters = { ...parameters, ...linkOptions[key].parse(pair.slice(equals + 1), `${option} ${key}`) };
  }
  return parameters;
}

/** Values of the options as commander leaves them. */
export type LinkOptionValues = Partial<Record<LinkKey | "up" | "down", LinkParameters>>;

/** Adds the options that describe a path. `defaults` holds texts, shown in the help. */
export function addLinkOptions(
  command: Command,
  defaults: Readonly<Partial<Record<LinkKey, string>>> = {},
): Command {
  for (const key of linkKeys) {
    const { flags, help, parse } = linkOptions[key];
    const text = defaults[key];
    const read = (value: string): LinkParameters => asUsage(() => parse(value, `--${key}`));
    if (text === undefined) command.option(flags, help, read);
    else command.option(flags, `${help} (default: ${text})`, read, read(text));
    // Objects do not print well: the text above says it.
    const option = command.options.at(-1);
    if (option !== undefined && text !== undefined) option.defaultValueDescription = text;
    if (option !== undefined && text !== undefined) option.description = help;
  }
  const pairs = (option: string) => (value: string) => asUsage(() => parseLinkPairs(value, option));
  return command
    .option("--up <key=value,...>", "the same from client to server only", pairs("--up"))
    .option("--down <key=value,...>", "the same from server to client only", pairs("--down"));
}

/** Both directions; what `--up` and `--down` say goes before what is said for both. */
export function readLinkOptions(values: LinkOptionValues): {
  readonly up: LinkParameters;
  readonly down: LinkParameters;
} {
  let both: LinkParameters = {};
  for (const key of linkKeys) both = { ...both, ...values[key] };
  return { up: { ...both, ...values.up }, down: { ...both, ...values.down } };
}

/** What commands take for the MTU where nothing is said: Ethernet's. Without one, packets on loopback grow to 16 kB. */
export const DEFAULT_MTU = "1500";

/** A direction in words: `20 ms, loss 3 %`. Ethernet's MTU goes without saying. */
export function describeLink(link: LinkParameters): string {
  const percent = (share: number): string => `${Number((share * 100).toFixed(4))} %`;
  const parts = [
    link.rateBitsPerSecond !== undefined && `${link.rateBitsPerSecond / 1e6} Mbit/s`,
    link.delayMs && `delay ${link.delayMs} ms`,
    link.jitterMs && `jitter ${link.jitterMs} ms`,
    link.loss && `loss ${percent(link.loss)}`,
    link.burst !== undefined && link.burst !== 1 && `in runs of ${link.burst}`,
    link.queueMs !== undefined && `queue ${link.queueMs} ms`,
    link.queueBytes !== undefined && `queue ${link.queueBytes} B`,
    link.mtuBytes !== undefined && link.mtuBytes !== Number(DEFAULT_MTU) && `MTU ${link.mtuBytes} B`,
    link.reorder && `reordered ${percent(link.reorder)}`,
    link.duplicate && `twice ${percent(link.duplicate)}`,
    link.corrupt && `corrupted ${percent(link.corrupt)}`,
  ];
  const said = parts.filter((part) => typeof part === "string");
  return said.length === 0 ? "perfect" : said.join(", ");
}

/** A number or text that seeds randomness. @throws CliError `usage` for an empty one */
export function parseSeed(text: string): number | string {
  if (text === "") throw new CliError(ExitCode.usage, "--seed: must not be empty");
  return /^\d{1,15}$/.test(text) ? Number(text) : text;
}
