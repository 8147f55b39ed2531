/** `sluice trace`: why was this frame late? */
import {
  blameStage,
  formatWaterfall,
  type JoinedTrace,
  joinTraces,
  readTraceFile,
  summarizeTraces,
  TraceFileError,
  type TraceSummary,
  usualTimes,
} from "@sluice/tracing";
import type { Command } from "commander";
import type { CliContext } from "./cli-context.js";
import { CliError } from "./cli-error.js";
import { ExitCode } from "./exit-codes.js";
import { formatTable } from "./format-table.js";
import { parseCount } from "./parse-count.js";

interface TraceCommandOptions {
  readonly frame?: number;
  readonly stream?: number;
  readonly late?: true;
  readonly slowest?: number;
  readonly width?: number;
  readonly json?: true;
}

/** Waterfalls that are shown where nothing else is asked for. */
const defaultSlowest = 3;
/** Where stdout is no terminal. */
const defaultWidth = 100;

async function readAll(files: readonly string[], context: CliContext): Promise<JoinedTrace[]> {
  try {
    const read = [];
    for (const path of files) {
      const { traces, isCut } = await readTraceFile(path);
      if (isCut) context.stderr.write(`${path}: ends in the middle of a line, which was left out\n`);
      read.push(...traces);
    }
    return joinTraces(read);
  } catch (cause) {
    if (!(cause instanceof TraceFileError)) throw cause;
    throw new CliError(ExitCode.notFound, cause.message, { cause });
  }
}

function select(traces: readonly JoinedTrace[], options: TraceCommandOptions): JoinedTrace[] {
  const { frame, stream, late, slowest } = options;
  const chosen = traces.filter(
    ({ main }) =>
      (frame === undefined || main.frame === frame) &&
      (stream === undefined || main.stream === stream) &&
      (!late || main.isLate),
  );
  const isAskedFor = frame !== undefined || stream !== undefined || late;
  const most = slowest ?? (isAskedFor ? undefined : defaultSlowest);
  if (most === undefined) return chosen;
  return chosen.sort((a, b) => b.main.durationMs - a.main.durationMs).slice(0, most);
}

const count = (of: number, what: string) => `${of} ${what}${of === 1 ? "" : "s"}`;

function formatSummary(summary: TraceSummary): string {
  const { frames, late, joined, sessions, ends, stages } = summary;
  const ms = (value: number) => value.toFixed(2);
  const table = formatTable(
    [
      { title: "stage" },
      ...["frames", "p50 ms", "p95 ms", "p99 ms", "max ms", "made late"].map((title) => ({
        title,
        align: "right" as const,
      })),
    ],
    stages.map(({ stage, frames, p50, p95, p99, max, blamed }) => [
      ...[stage, String(frames), ms(p50), ms(p95), ms(p99), ms(max)],
      blamed === 0 ? "" : String(blamed),
    ]),
  );
  const how = Object.entries(ends).map(([end, times]) => `${times} ${end}`);
  return [
    `${count(frames, "frame")} of ${count(sessions, "session")}, ${joined} of them traced by both ends, ${late} late`,
    `  ${how.join(", ")}`,
    "",
    table,
  ].join("\n");
}

async function trace(files: readonly string[], options: TraceCommandOptions, context: CliContext) {
  const traces = await readAll(files, context);
  if (traces.length === 0) throw new CliError(ExitCode.notFound, `${files.join(", ")}: no traces in there`);
  const usual = usualTimes(traces);
  const selected = select(traces, options);
  const summary = summarizeTraces(traces, usual);
  const blame = (frame: JoinedTrace) => (frame.main.isLate ? blameStage(frame, usual) : undefined);
  if (selected.length === 0 && (options.frame !== undefined || options.stream !== undefined)) {
    const which =
      options.frame === undefined
        ? `--stream: no frame of stream ${options.stream}`
        : `--frame: no frame ${options.frame}`;
    throw new CliError(ExitCode.notFound, `${which} has been traced`);
  }
  if (options.json) {
    context.stdout.write(`${JSON.stringify({ event: "summary", ...summary })}\n`);
    for (const frame of selected) {
      const { main, client, server, spans } = frame;
      const sides = [client && "client", server && "server"].filter(Boolean);
      context.stdout.write(
        `${JSON.stringify({ event: "frame", ...main, side: undefined, sides, spans, blamed: blame(frame) })}\n`,
      );
    }
    return;
  }
  const isTerminal = process.stdout.isTTY === true;
  const view = {
    width: options.width ?? (isTerminal ? process.stdout.columns : defaultWidth),
    isColoured: isTerminal && !process.env.NO_COLOR,
  };
  context.stdout.write(`${formatSummary(summary)}\n`);
  for (const frame of selected) {
    if (context.signal.aborted) return;
    context.stdout.write(`${formatWaterfall(frame, { ...view, blamed: blame(frame) })}\n\n`);
  }
}

/** Registers `sluice trace`. */
export function registerTrace(program: Command, context: CliContext): void {
  program
    .command("trace")
    .description("Show where the time of traced frames went, and which stage made the late ones late.")
    .argument("<files...>", "what `sluice serve --trace FILE` and `sluice stream --trace FILE` have written")
    .option("--frame <n>", "only frames of this number", (text) =>
      parseCount(text, "--frame", 0, 2 ** 32 - 1),
    )
    .option("--stream <n>", "only frames of this stream", (text) => parseCount(text, "--stream"))
    .option("--late", "only frames that were late")
    .option(
      "--slowest <n>",
      `only the slowest ones of these (default: ${defaultSlowest}, or all where one of the above is given)`,
      (text) => parseCount(text, "--slowest"),
    )
    .option(
      "--width <columns>",
      `of the waterfalls (default: the terminal's, else ${defaultWidth})`,
      (text) => parseCount(text, "--width", 40, 1_000),
    )
    .option("--json", "print JSON: a summary, then a line for each frame")
    .addHelpText(
      "after",
      `
With the files of both ends their traces are joined and the server's clock is set by the client's; with the client's alone
the server's stages (~) are as its results report them, and half a round trip is taken for the way back.

"made late": of the late frames, those in which this stage took longer than it does for frames in time by more than any
other did. reassembly (░) runs beside send and network: from the first slice's arrival to the last one's.

Examples:
  $ sluice serve --trace server.jsonl --trace-sample all
  $ sluice stream https://127.0.0.1:4433 --cert-hash HEX --trace client.jsonl --trace-sample all
  $ sluice trace client.jsonl server.jsonl --late --slowest 5`,
    )
    .action((files: string[], options: TraceCommandOptions) => trace(files, options, context));
}
