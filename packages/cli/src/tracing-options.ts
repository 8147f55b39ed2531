/** The options that make traces of frames and qlog files, of `serve` and `stream`. */

import {
  createTracing,
  defaultTraceSample,
  type ExportFigures,
  type TraceSide,
  type Tracing,
} from "@sluice/tracing";
import { createSystemClock } from "@sluice/transport";
import type { Command } from "commander";

export interface TracingOptionValues {
  readonly trace?: string | undefined;
  readonly traceSample?: string | undefined;
  readonly qlog?: string | undefined;
}

/** How long what waits to be exported may take at the end. */
export const tracingCloseMs = 2_000;

export function addTracingOptions(command: Command): Command {
  return command
    .option(
      "--trace <file|url>",
      "where each frame's time went: JSON lines for `sluice trace`, or a collector of OpenTelemetry (http://HOST:4318/v1/traces)",
    )
    .option(
      "--trace-sample <which>",
      `late, all, a share such as 0.01, or late,SHARE; the same frames at both ends (default: ${defaultTraceSample})`,
    )
    .option("--qlog <dir>", "what the protocol does, event by event: a qlog file for each session");
}

/**
 * What the options ask for; `undefined`: nothing.
 * @throws RangeError naming the option, the system's error where a file or directory cannot be used
 */
export async function openTracing(
  values: TracingOptionValues,
  side: TraceSide,
  version: string,
  onFailure: (reason: string) => void,
): Promise<Tracing | undefined> {
  const { trace, traceSample, qlog } = values;
  if (trace === undefined && traceSample !== undefined) {
    throw new RangeError("--trace-sample: only with --trace FILE or --trace URL");
  }
  if (trace === undefined && qlog === undefined) return undefined;
  const headers = process.env.OTEL_EXPORTER_OTLP_HEADERS;
  return createTracing({
    ...{ side, version, onFailure, clock: createSystemClock(globalThis) },
    ...(trace === undefined ? {} : { traceTo: trace }),
    ...(traceSample === undefined ? {} : { sample: traceSample }),
    ...(headers === undefined ? {} : { headers }),
    ...(qlog === undefined ? {} : { qlog }),
  });
}

/** `traces: 12 to traces.jsonl, 3 dropped`; what was asked for, a line each. */
export function describeTracing({ figures }: Tracing, { trace, qlog }: TracingOptionValues): string[] {
  const tell = (what: string, { exported, dropped, failed }: ExportFigures, where: string | undefined) => {
    if (where === undefined) return [];
    const lost = [dropped > 0 ? `${dropped} dropped` : "", failed > 0 ? `${failed} not taken` : ""];
    return [[`${what}: ${exported} to ${where}`, ...lost.filter((part) => part !== "")].join(", ")];
  };
  return [...tell("traces", figures.traces, trace), ...tell("qlog events", figures.qlogEvents, qlog)];
}
