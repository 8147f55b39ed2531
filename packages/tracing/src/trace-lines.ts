/** Traces as JSON lines: one object a line, the fields of {@link FrameTrace}. */
import { open } from "node:fs/promises";
import { type FrameTrace, type Stage, stages, type TraceSpan } from "./frame-trace.js";

/** A file that holds no traces; the message names the file, the line and the field. */
export class TraceFileError extends Error {
  override readonly name = "TraceFileError";
}

/** Above these they would not fit into memory. */
const maxTraces = 1_000_000;
const maxFileBytes = 1024 ** 3;
/** Times to the microsecond. */
const decimals = 1_000;

export function formatTraceLine(trace: FrameTrace): string {
  return `${JSON.stringify(trace, (_key, value: unknown) =>
    typeof value === "number" ? Math.round(value * decimals) / decimals : value,
  )}\n`;
}

export interface TraceFile {
  readonly traces: readonly FrameTrace[];
  /** The file ends in the middle of a line, as one does that is being written; the rest was left out. */
  readonly isCut: boolean;
}

/** @throws TraceFileError, the system's error where it cannot be read */
export async function readTraceFile(path: string): Promise<TraceFile> {
  const file = await open(path);
  try {
    const { size } = await file.stat();
    if (size > maxFileBytes)
      throw new TraceFileError(`${path}: ${size} bytes, at most ${maxFileBytes} are read`);
    const traces: FrameTrace[] = [];
    let lineNumber = 0;
    let fault: TraceFileError | undefined;
    for await (const line of file.readLines()) {
      lineNumber++;
      // A fault may be in the last line only, where it was cut.
      if (fault) throw fault;
      if (line.trim() === "") continue;
      if (traces.length === maxTraces) {
        throw new TraceFileError(`${path}:${lineNumber}: more than ${maxTraces} traces; split the file`);
      }
      try {
        traces.push(readTrace(line, `${path}:${lineNumber}`));
      } catch (error) {
        if (!(error instanceof TraceFileError)) throw error;
        fault = error;
      }
    }
    if (fault && (lineNumber === 1 || (await endsWithNewline(path)))) throw fault;
    return { traces, isCut: fault !== undefined };
  } finally {
    await file.close();
  }
}

async function endsWithNewline(path: string): Promise<boolean> {
  const file = await open(path);
  try {
    const { size } = await file.stat();
    const { buffer } = await file.read(Buffer.alloc(1), 0, 1, Math.max(0, size - 1));
    return buffer[0] === 0x0a;
  } finally {
    await file.close();
  }
}

type Kind = "string" | "number" | "boolean";

const fields: Readonly<Record<string, Kind>> = {
  ...{ traceId: "string", side: "string", session: "string", isNamedByClient: "boolean" },
  ...{ stream: "number", frame: "number", startMs: "number", durationMs: "number", deadlineMs: "number" },
  ...{ outcome: "string", reason: "string", isLate: "boolean" },
};

const attributes: Readonly<Record<string, Kind>> = {
  ...{ model: "string", split: "string", codec: "string", mode: "string" },
};

/** These may be missing. */
const figures = [
  ...["rttMs", "bytes", "slices", "slicesSent", "slicesRepeated", "repairsSent", "slicesReceived"],
  ...["slicesRecovered", "concealedFraction"],
];

const spanFields: Readonly<Record<string, Kind>> = {
  ...{ stage: "string", startMs: "number", durationMs: "number" },
};

/** Reads one line. @throws TraceFileError naming `where` and the field */
export function readTrace(line: string, where: string): FrameTrace {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch (error) {
    throw new TraceFileError(`${where}: no JSON: ${(error as Error).message}`);
  }
  const trace = check<FrameTrace>(value, fields, where, "");
  if (trace.side !== "client" && trace.side !== "server") {
    throw new TraceFileError(`${where}: side: expected client or server, got "${String(trace.side)}"`);
  }
  const held = check<Record<string, unknown>>(trace.attributes, attributes, where, "attributes.");
  const present = figures.filter((name) => held[name] !== undefined);
  check(held, Object.fromEntries(present.map((name) => [name, "number"])), where, "attributes.");
  if (!Array.isArray(trace.spans)) throw new TraceFileError(`${where}: spans: expected a list`);
  trace.spans.forEach((span: unknown, i) => {
    const { stage } = check<TraceSpan>(span, spanFields, where, `spans[${i}].`);
    if (stages.includes(stage as Stage)) return;
    const known = stages.join(", ");
    throw new TraceFileError(`${where}: spans[${i}].stage: "${stage}" is none of ${known}`);
  });
  return trace;
}

function check<T>(value: unknown, wanted: Readonly<Record<string, Kind>>, where: string, path: string): T {
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw new TraceFileError(`${where}: ${path.replace(/\.$/, "") || "the line"}: expected an object`);
  }
  const record = value as Record<string, unknown>;
  for (const [name, kind] of Object.entries(wanted)) {
    if (typeof record[name] === kind) continue;
    const got = record[name] === undefined ? "nothing" : JSON.stringify(record[name]).slice(0, 40);
    throw new TraceFileError(`${where}: ${path}${name}: expected a ${kind}, got ${got}`);
  }
  return value as T;
}
