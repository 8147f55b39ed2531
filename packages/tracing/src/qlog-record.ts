/**
 * What a session tells, in the form of qlog (draft-ietf-quic-qlog-main-schema): a sequence of JSON texts (RFC 7464), first
 * the file's header, then an event each. Their namespace is `sluice`; the README lists the events.
 */
import type { TraceSide } from "./frame-trace.js";
import { snakeCase } from "./otlp-json.js";
import type { ToldEvent } from "./told-event.js";

export const qlogSuffix = ".sqlog";
export const qlogSchema = "urn:sluice:qlog:events:sluice-00";

/** RFC 7464 2.2: what stands before each text. */
const recordSeparator = "\u001e";
/** Moments of the session's clock among the fields of events; in the file they count from its start, as all times do. */
const moments = new Set(["capturedMs", "firstArrivalMs", "lastArrivalMs", "expiresAtMs"]);

export interface QlogHeader {
  readonly side: TraceSide;
  /** Names the session at both ends. */
  readonly session: string;
  /** The time of day at its start, in RFC 3339. */
  readonly startedAt: string;
  readonly version: string;
}

export function formatQlogHeader({ side, session, startedAt, version }: QlogHeader): string {
  return record({
    file_schema: "urn:ietf:params:qlog:file:sequential",
    serialization_format: "application/qlog+json-seq",
    title: `Sluice ${version}, session ${session}`,
    trace: {
      event_schemas: [qlogSchema],
      vantage_point: { name: `sluice-${side}`, type: side },
      common_fields: {
        group_id: session,
        time_format: "relative_to_epoch",
        reference_time: { clock_type: "monotonic", epoch: "unknown", wall_clock_time: startedAt },
      },
    },
  });
}

/** `nowMs` and `startMs`: of the session's clock. */
export function formatQlogEvent(event: ToldEvent, nowMs: number, startMs: number): string {
  const { name, ...fields } = event;
  const data: Record<string, unknown> = {};
  for (const [key, value] of Object.entries(fields)) {
    if (value === undefined) continue;
    data[snakeCase(key)] = moments.has(key) ? round((value as number) - startMs) : rounded(value);
  }
  return record({ time: round(nowMs - startMs), name: `sluice:${name}`, data });
}

function record(value: object): string {
  return `${recordSeparator}${JSON.stringify(value)}\n`;
}

/** To the microsecond; JSON has no Infinity. */
function round(ms: number): number | null {
  return Number.isFinite(ms) ? Math.round(ms * 1_000) / 1_000 : null;
}

function rounded(value: unknown): unknown {
  return typeof value === "number" ? round(value) : value;
}
