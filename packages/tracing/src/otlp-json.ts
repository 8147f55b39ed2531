/**
 * Traces as OpenTelemetry has them: an `ExportTraceServiceRequest` in the JSON form of OTLP 1 (identifiers in hexadecimal,
 * 64-bit integers as text, enumerations as numbers). OpenTelemetry's own exporters bring an SDK with span processors of
 * their own, whose identifiers, times and bounds are theirs; the form itself is this file.
 */
import { besideOthers, type FrameTrace, type TraceSide } from "./frame-trace.js";
import { spanIdOf } from "./trace-id.js";

/** SpanKind, and the code of a Status. */
const kinds = { internal: 1, server: 2, client: 3 } as const;
const statusCodes = { unset: 0, error: 2 } as const;

interface OtlpAttribute {
  readonly key: string;
  readonly value:
    | { readonly stringValue: string }
    | { readonly intValue: string }
    | { readonly doubleValue: number }
    | { readonly boolValue: boolean };
}

interface OtlpSpan {
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId?: string;
  readonly name: string;
  readonly kind: number;
  readonly startTimeUnixNano: string;
  readonly endTimeUnixNano: string;
  readonly attributes: readonly OtlpAttribute[];
  readonly status: { readonly code: number; readonly message?: string };
}

export interface OtlpRequest {
  readonly resourceSpans: readonly {
    readonly resource: { readonly attributes: readonly OtlpAttribute[] };
    readonly scopeSpans: readonly {
      readonly scope: { readonly name: string; readonly version: string };
      readonly spans: readonly OtlpSpan[];
    }[];
  }[];
}

export interface OtlpResource {
  readonly side: TraceSide;
  readonly version: string;
  /** Tells processes apart. */
  readonly instance: string;
}

export function otlpRequest(traces: readonly FrameTrace[], resource: OtlpResource): OtlpRequest {
  const { side, version, instance } = resource;
  const named = {
    ...{ "service.name": `sluice-${side}`, "service.version": version },
    ...{ "service.instance.id": instance },
  };
  const spans = traces.flatMap(spansOf);
  const scopeSpans = [{ scope: { name: "sluice", version }, spans }];
  return { resourceSpans: [{ resource: { attributes: attributesOf(named) }, scopeSpans }] };
}

/** The frame, and below it its stages. A server's frame is below the client's, where the client has told its name. */
function spansOf(trace: FrameTrace): OtlpSpan[] {
  const { traceId, side, stream, frame, session, outcome, reason, isLate, deadlineMs } = trace;
  const spanId = spanIdOf(traceId, side, "frame");
  const parent =
    side === "server" && trace.isNamedByClient ? spanIdOf(traceId, "client", "frame") : undefined;
  const about = {
    ...{ session, stream, frame, outcome, late: isLate, deadline_ms: deadlineMs },
    ...(reason === "" ? {} : { reason }),
    ...Object.fromEntries(Object.entries(trace.attributes).map(([key, value]) => [snakeCase(key), value])),
  };
  const fault = reason || (isLate ? "late" : "");
  const root: OtlpSpan = {
    ...{ traceId, spanId, ...(parent === undefined ? {} : { parentSpanId: parent }) },
    ...{ name: `frame ${side}`, kind: kinds[side], ...times(trace) },
    attributes: attributesOf(about, "sluice."),
    status: fault === "" ? { code: statusCodes.unset } : { code: statusCodes.error, message: fault },
  };
  const children = trace.spans.map(
    (span, place): OtlpSpan => ({
      ...{ traceId, spanId: spanIdOf(traceId, side, span.stage, place), parentSpanId: spanId },
      ...{ name: span.stage, kind: kinds.internal, ...times(span) },
      attributes: attributesOf(
        {
          ...(span.isReported ? { reported: true } : {}),
          ...(besideOthers.has(span.stage) ? { parallel: true } : {}),
        },
        "sluice.",
      ),
      status: { code: statusCodes.unset },
    }),
  );
  return [root, ...children];
}

function times({ startMs, durationMs }: { readonly startMs: number; readonly durationMs: number }) {
  return { startTimeUnixNano: nanoseconds(startMs), endTimeUnixNano: nanoseconds(startMs + durationMs) };
}

/** Microseconds are exact in a double until 2255, nanoseconds since 1970 are not. */
function nanoseconds(ms: number): string {
  return String(BigInt(Math.max(0, Math.round(ms * 1_000))) * 1_000n);
}

function attributesOf(values: Readonly<Record<string, unknown>>, prefix = ""): OtlpAttribute[] {
  return Object.entries(values).flatMap(([name, value]): OtlpAttribute[] => {
    const key = `${prefix}${name}`;
    if (typeof value === "string") return [{ key, value: { stringValue: value } }];
    if (typeof value === "boolean") return [{ key, value: { boolValue: value } }];
    if (Number.isSafeInteger(value)) return [{ key, value: { intValue: String(value) } }];
    return typeof value === "number" ? [{ key, value: { doubleValue: value } }] : [];
  });
}

/** `rttMs` is `rtt_ms`. */
export function snakeCase(name: string): string {
  return name.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}
