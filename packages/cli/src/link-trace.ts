/** How a path changes with time: files that `--trace` takes. */
import { readFile, stat } from "node:fs/promises";
import { checkLinkParameters, type LinkParameters, parseDurationMs, type Relay } from "@sluice/simnet";
import { asUsage, CliError } from "./cli-error.js";
import { ExitCode } from "./exit-codes.js";
import { describeLink, parseLinkPairs } from "./link-options.js";

/** What holds from a moment on; a direction that is not there stays as it is. */
export interface TraceStep {
  /** Since the first packet, in milliseconds. */
  readonly atMs: number;
  readonly up?: LinkParameters;
  readonly down?: LinkParameters;
}

const maxTraceBytes = 16 * 1024 * 1024;
/** A trace of delivery opportunities is counted in windows of this length, in milliseconds. */
const windowMs = 100;
/** What one line of such a trace lets through, in bits: a packet of 1,500 bytes. */
const opportunityBits = 12_000;
/** A window without any is as good as shut: what waits is sent in a later one. */
const shutBitsPerSecond = 1;

export const traceHelp = `
A trace says how both directions change, counted from the first packet; the last line holds to the end. A line is one of
  10s rate=2mbit,delay=30ms     what --up and --down take; behind the time may stand up or down for one direction
  30s loss=100%                 a blackout
  10 2.5                        seconds and Mbit/s, 0 for a blackout: the common form of bandwidth traces
  17                            in every line one number: Mahimahi's, when 1,500 bytes may pass, in milliseconds
`;

/** @throws CliError naming the file */
export async function readTrace(path: string): Promise<readonly TraceStep[]> {
  let text: string;
  try {
    const { size } = await stat(path);
    if (size > maxTraceBytes) {
      throw new CliError(
        ExitCode.usage,
        `--trace: ${path} has ${size} bytes, at most ${maxTraceBytes} are read`,
      );
    }
    text = await readFile(path, "utf8");
  } catch (cause) {
    if (cause instanceof CliError) throw cause;
    throw new CliError(ExitCode.notFound, `--trace: ${path} cannot be read`, { cause });
  }
  return asUsage(() => parseTrace(text, path));
}

/** @throws RangeError naming the line */
export function parseTrace(text: string, name: string): readonly TraceStep[] {
  const lines = text
    .split("\n")
    .map((line, at) => ({ at: at + 1, words: line.replace(/#.*/, "").trim() }))
    .filter(({ words }) => words !== "");
  if (lines.length === 0) throw new RangeError(`${name}: holds no line`);
  if (lines.every(({ words }) => /^\d+$/.test(words))) return readOpportunities(lines, name);
  const steps = lines.map(({ at, words }) => readStep(words, `${name}:${at}`));
  for (const [i, { atMs }] of steps.entries()) {
    if (i > 0 && atMs < steps[i - 1]!.atMs) {
      throw new RangeError(`${name}:${lines[i]!.at}: is earlier than the line before it`);
    }
  }
  return steps;
}

function readStep(words: string, where: string): TraceStep {
  const numbers = /^(\d+(?:\.\d+)?)[\s,;]+(\d+(?:\.\d+)?)$/.exec(words);
  if (numbers) {
    const mbit = Number(numbers[2]);
    const change: LinkParameters = mbit > 0 ? { rateBitsPerSecond: mbit * 1e6, loss: 0 } : { loss: 1 };
    return { atMs: Number(numbers[1]) * 1_000, up: change, down: change };
  }
  const match = /^(\S+)\s+(?:(up|down)\s+)?(\S+)$/.exec(words);
  if (!match) throw new RangeError(`${where}: expected a time and KEY=VALUE,... or a number, got "${words}"`);
  const [, time, direction, pairs] = match;
  const atMs = parseDurationMs(time!, where);
  const change = parseLinkPairs(pairs!, where);
  if (direction === "up") return { atMs, up: change };
  if (direction === "down") return { atMs, down: change };
  return { atMs, up: change, down: change };
}

function readOpportunities(
  lines: readonly { readonly at: number; readonly words: string }[],
  name: string,
): readonly TraceStep[] {
  const counts: number[] = [];
  for (const { at, words } of lines) {
    const window = Math.floor(Number(words) / windowMs);
    if (window >= maxTraceBytes) throw new RangeError(`${name}:${at}: ${words} ms is too far away`);
    while (counts.length <= window) counts.push(0);
    counts[window]!++;
  }
  return counts.map((count, window) => {
    const rateBitsPerSecond = count === 0 ? shutBitsPerSecond : (count * opportunityBits * 1_000) / windowMs;
    return { atMs: window * windowMs, up: { rateBitsPerSecond }, down: { rateBitsPerSecond } };
  });
}

/** `10.0 s: 2 Mbit/s, delay 20 ms`, of what a step changes. */
export function formatStep({ atMs, up, down }: TraceStep): string {
  const sides = [up && `up ${describeLink(up)}`, down && `down ${describeLink(down)}`];
  const change = up === down && up ? describeLink(up) : sides.filter(Boolean).join("; ");
  return `${(atMs / 1_000).toFixed(1)} s: ${change}`;
}

/** Tries a trace on the path that it will change. @throws RangeError naming the time and the field */
export function checkTrace(
  steps: readonly TraceStep[],
  path: { readonly up: LinkParameters; readonly down: LinkParameters },
): void {
  let { up, down } = path;
  for (const step of steps) {
    up = { ...up, ...step.up };
    down = { ...down, ...step.down };
    try {
      checkLinkParameters(up);
      checkLinkParameters(down);
    } catch (error) {
      throw new RangeError(`--trace: at ${step.atMs} ms: ${(error as Error).message}`);
    }
  }
}

/**
 * Changes a relay's directions at the times of the steps, counted from now.
 * @param onStep told after each
 * @returns what stops it
 */
export function playTrace(
  steps: readonly TraceStep[],
  relay: Pick<Relay, "set">,
  onStep: (step: TraceStep) => void,
): () => void {
  const startMs = performance.now();
  let next = 0;
  let timer: NodeJS.Timeout | undefined;

  function play(): void {
    for (; next < steps.length && steps[next]!.atMs <= performance.now() - startMs; next++) {
      const { up, down } = steps[next]!;
      relay.set({ ...(up ? { up } : {}), ...(down ? { down } : {}) });
      onStep(steps[next]!);
    }
    const waitMs = (steps[next]?.atMs ?? Number.POSITIVE_INFINITY) - (performance.now() - startMs);
    if (next < steps.length) timer = setTimeout(play, Math.max(1, Math.min(waitMs, maxWaitMs)));
  }

  play();
  return () => clearTimeout(timer);
}

/** Timers take no more than 24 days. */
const maxWaitMs = 2 ** 31 - 1;
