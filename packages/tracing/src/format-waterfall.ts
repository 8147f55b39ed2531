/** A frame's stages as bars, one below the other on one scale of time. */
import { besideOthers, type Stage } from "./frame-trace.js";
import type { JoinedTrace } from "./join-traces.js";

export interface WaterfallOptions {
  /** Columns of the terminal. */
  readonly width: number;
  readonly isColoured: boolean;
  /** The stage that made the frame late. */
  readonly blamed?: Stage | undefined;
}

const minBarColumns = 10;
/** Behind the bar: a duration. */
const timeColumns = 12;
const labelColumns = 12;

/** Shorter stages are left out. */
const shownMs = 0.005;

const paints = { red: 31, green: 32, dim: 2 } as const;

export function formatWaterfall(trace: JoinedTrace, options: WaterfallOptions): string {
  const { main, spans } = trace;
  const { width, isColoured, blamed } = options;
  const paint = (text: string, colour: keyof typeof paints) =>
    isColoured ? `\u001b[${paints[colour]}m${text}\u001b[0m` : text;
  const columns = Math.max(minBarColumns, width - labelColumns - timeColumns - 4);
  const endMs = Math.max(
    main.durationMs,
    main.deadlineMs,
    ...spans.map((span) => endOf(span) - main.startMs),
  );
  const columnOf = (ms: number) =>
    Math.min(columns, Math.max(0, Math.round((ms / Math.max(endMs, 1e-3)) * columns)));

  const rows = spans.filter(isShown).map((span) => {
    const { stage, startMs, durationMs } = span;
    const from = Math.min(columnOf(startMs - main.startMs), columns - 1);
    const to = Math.max(from + 1, columnOf(endOf(span) - main.startMs));
    const isBlamed = stage === blamed;
    const drawn = (besideOthers.has(stage) ? "░" : "█").repeat(to - from);
    const bar = paint(drawn, isBlamed ? "red" : besideOthers.has(stage) ? "dim" : "green");
    const time = `${span.isReported ? "~" : ""}${durationMs.toFixed(2)} ms`;
    const mark = isBlamed ? paint(" <", "red") : "";
    return `${stage.padEnd(labelColumns)}|${" ".repeat(from)}${bar}${" ".repeat(columns - to)}|${time.padStart(timeColumns)}${mark}`;
  });
  const deadline = columnOf(main.deadlineMs);
  const scale =
    main.deadlineMs > 0 && main.deadlineMs <= endMs
      ? [
          `${"deadline".padEnd(labelColumns)}|${" ".repeat(Math.max(0, deadline - 1))}^${" ".repeat(columns - Math.max(1, deadline))}|${`${main.deadlineMs} ms`.padStart(timeColumns)}`,
        ]
      : [];
  const about = [heading(trace), ...describe(trace)].map(printable);
  return [...about, ...rows, ...scale].join("\n");
}

/** Files may come from anywhere, and terminals obey what they are told. */
function printable(text: string): string {
  return text.replaceAll(/\p{Cc}/gu, "?");
}

function heading({ main }: JoinedTrace): string {
  const { stream, frame, outcome, reason, durationMs, deadlineMs, isLate, traceId } = main;
  const how = reason === "" ? outcome : `${outcome} (${reason})`;
  const overMs = durationMs - deadlineMs;
  const late = isLate && overMs > 0 ? `, ${overMs.toFixed(1)} ms over its deadline` : "";
  return `frame ${frame} of stream ${stream}: ${how} after ${durationMs.toFixed(1)} ms${late}  [${traceId}]`;
}

/** What is known of it beside times. */
function describe({ client, server, main }: JoinedTrace): string[] {
  const { model, split, codec, mode } = main.attributes;
  const facts = { ...server?.attributes, ...client?.attributes };
  const { bytes, slices, slicesRepeated, repairsSent, slicesReceived, slicesRecovered, concealedFraction } =
    facts;
  const parts = [
    bytes === undefined ? "" : `${bytes} B`,
    slices === undefined ? "" : `${slices} ${slices === 1 ? "slice" : "slices"}`,
    slicesReceived === undefined ? "" : `${slicesReceived} came`,
    slicesRecovered ? `${slicesRecovered} recovered` : "",
    slicesRepeated ? `${slicesRepeated} sent again` : "",
    repairsSent ? `${repairsSent} repair symbols` : "",
    concealedFraction ? `${(concealedFraction * 100).toFixed(1)} % concealed` : "",
    facts.rttMs === undefined ? "" : `round trip ${facts.rttMs.toFixed(1)} ms`,
  ].filter((part) => part !== "");
  const what = [`${model}${split === "" ? "" : ` at ${split}`}`, codec, mode].filter((part) => part !== "");
  return [`  ${what.join(", ")}`, `  ${parts.join(", ")}`].filter((line) => line.trim() !== "");
}

/** What took no time is no part of an answer to where the time went. */
const isShown = ({ durationMs }: { readonly durationMs: number }) => durationMs >= shownMs;
const endOf = ({ startMs, durationMs }: { readonly startMs: number; readonly durationMs: number }) =>
  startMs + durationMs;
