/** Traces and qlog files of a process: from what its sessions tell to where they are exported. */
import { randomBytes } from "node:crypto";
import type { SessionObserver } from "@sluice/protocol";
import type { Clock } from "@sluice/transport";
import { openBoundedFile } from "./bounded-file.js";
import { createClientTracer } from "./client-tracer.js";
import { createEventDescriber } from "./describe-event.js";
import { createExportQueue, type ExportFigures, type ExportQueue, type Sent } from "./export-queue.js";
import type { FrameTrace, TraceSide } from "./frame-trace.js";
import { parseOtlpHeaders, parseOtlpUrl, postTraces } from "./otlp-http.js";
import { openQlogDirectory, type QlogDirectory } from "./qlog-directory.js";
import { createServerTracer } from "./server-tracer.js";
import { agentSuffixOf, sessionOfAgent } from "./trace-id.js";
import { formatTraceLine } from "./trace-lines.js";
import { defaultTraceSample, isSampled, parseTraceSample } from "./trace-sample.js";

export interface TracingOptions {
  readonly side: TraceSide;
  /** Of this program. */
  readonly version: string;
  /** A file for JSON lines, or the address of a collector. Default: no traces. */
  readonly traceTo?: string;
  /** Which frames, see `parseTraceSample`. Default `late,0.01`. */
  readonly sample?: string;
  /** Headers for the collector, as OTEL_EXPORTER_OTLP_HEADERS has them. */
  readonly headers?: string;
  /** The directory of qlog files. Default: none. */
  readonly qlog?: string;
  /** The clock that the sessions go by. */
  readonly clock: Clock;
  /** Told where something could not be exported, once for each run of failures. */
  onFailure(reason: string): void;
  /** The time of day, in milliseconds since 1970. Default `Date.now`. */
  readonly today?: () => number;
  /** 0 to 1. Default `Math.random`. */
  readonly random?: () => number;
  /** Names sessions that nobody has named; default: 16 random hexadecimal digits. */
  readonly newSession?: () => string;
}

export interface TracingFigures {
  readonly traces: ExportFigures;
  readonly qlogEvents: ExportFigures;
}

export interface Tracing {
  /** For `observeSession` of a client. */
  observeClient(): { readonly agentSuffix: string; readonly observe: SessionObserver };
  /** For `observeSession` of a server. */
  observeServer(agent: string): SessionObserver;
  readonly figures: TracingFigures;
  /** Exports what waits, for so long at most. */
  close(timeoutMs: number): Promise<void>;
}

const maxWaitingTraces = 2_048;
const batchTraces = 256;
const intervalMs = 1_000;
/** Bytes of a file of traces. */
const maxTraceFileBytes = 1024 ** 3;

const nothing: ExportFigures = { exported: 0, dropped: 0, failed: 0 };

/** @throws RangeError naming the option, the system's error where a file or directory cannot be used */
export async function createTracing(options: TracingOptions): Promise<Tracing> {
  const { clock, side, version, onFailure, qlog } = options;
  const { random = Math.random, today = Date.now } = options;
  const newSession = options.newSession ?? (() => randomBytes(8).toString("hex"));
  const sample = named("--trace-sample", () => parseTraceSample(options.sample ?? defaultTraceSample));
  const target = options.traceTo === undefined ? undefined : await openTarget(options.traceTo, options);
  const traces: ExportQueue<FrameTrace> | undefined =
    target &&
    createExportQueue<FrameTrace>({
      ...{ clock, random, onFailure: (reason) => onFailure(`traces: ${reason}`), send: target.send },
      ...{ maxWaiting: maxWaitingTraces, maxBatch: batchTraces, intervalMs },
    });
  const files: QlogDirectory | undefined =
    qlog === undefined
      ? undefined
      : await openQlogDirectory({
          ...{ directory: qlog, side, version, clock, random, today },
          onFailure: (reason) => onFailure(`qlog: ${reason}`),
        });

  const onTrace = (trace: FrameTrace) => {
    if (isSampled(sample, trace.traceId, trace.isLate)) traces?.push(trace);
  };

  function observe(session: string, isNamedByClient: boolean): SessionObserver {
    const common = { session, now: clock.now, epochMs: today() - clock.now(), onTrace };
    const make = () =>
      side === "client" ? createClientTracer(common) : createServerTracer({ ...common, isNamedByClient });
    const tracer = traces && make();
    const toFile = files?.open(session);
    const describe = createEventDescriber();
    let hasEnded = false;
    return (event) => {
      for (const told of describe(event)) {
        // What is still at work for a session that has ended is of no use to anybody.
        if (hasEnded) return;
        hasEnded = told.name === "session_closed";
        tracer?.observe(told);
        toFile?.(told);
      }
    };
  }

  return {
    observeClient() {
      const session = newSession();
      return { agentSuffix: agentSuffixOf(session), observe: observe(session, true) };
    },
    observeServer(agent) {
      const session = sessionOfAgent(agent);
      return observe(session ?? newSession(), session !== undefined);
    },
    get figures() {
      return { traces: traces?.figures ?? nothing, qlogEvents: files?.figures ?? nothing };
    },
    async close(timeoutMs) {
      await Promise.all([traces?.close(timeoutMs), files?.close(timeoutMs)]);
      await target?.close();
    },
  };
}

interface Target {
  send(batch: readonly FrameTrace[]): Promise<Sent>;
  close(): Promise<void>;
}

async function openTarget(traceTo: string, options: TracingOptions): Promise<Target> {
  const { side, version, headers = "", onFailure } = options;
  if (/^https?:/i.test(traceTo)) {
    const url = named("--trace", () => parseOtlpUrl(traceTo));
    const parsed = named("OTEL_EXPORTER_OTLP_HEADERS", () => parseOtlpHeaders(headers));
    const resource = { side, version, instance: randomBytes(8).toString("hex") };
    const onRejected = (reason: string) => onFailure(`traces: the collector leaves out ${reason}`);
    return {
      send: (batch) => postTraces({ url, headers: parsed }, batch, resource, onRejected),
      async close() {},
    };
  }
  const file = await openBoundedFile(traceTo, maxTraceFileBytes);
  return {
    async send(batch) {
      try {
        await file.append(batch.map(formatTraceLine).join(""));
        return { outcome: "done" };
      } catch (error) {
        return { outcome: "refused", reason: `${traceTo}: ${(error as Error).message}` };
      }
    },
    close: () => file.close(),
  };
}

/** Names the option in front of what is wrong with it. */
function named<T>(option: string, read: () => T): T {
  try {
    return read();
  } catch (cause) {
    throw new RangeError(`${option}: ${(cause as Error).message}`, { cause });
  }
}
