import { Counter, type Registry } from "prom-client";

/** What became of what was to be exported, as counts since the start. */
export interface ExportCounts {
  readonly exported: number;
  readonly dropped: number;
  readonly failed: number;
}

/** `figures` of `createTracing` of `@sluice/tracing` has this form. */
export interface TracingCounts {
  readonly traces: ExportCounts;
  readonly qlogEvents: ExportCounts;
}

/** Registers what became of traces and qlog events, which is read anew for each scrape. */
export function watchTracing(registry: Registry, read: () => TracingCounts): void {
  const outcomes = ["exported", "dropped", "failed"] as const;
  const counter = (name: string, help: string, pick: (counts: TracingCounts) => ExportCounts) =>
    new Counter({
      ...{ name, help, labelNames: ["outcome"], registers: [registry] },
      collect() {
        this.reset();
        const counts = pick(read());
        for (const outcome of outcomes) this.inc({ outcome }, counts[outcome]);
      },
    });
  counter(
    "sluice_traces_total",
    "Traces of frames that were to be exported: dropped for want of room, failed where they were not taken.",
    ({ traces }) => traces,
  );
  counter(
    "sluice_qlog_events_total",
    "Events that were to be written to qlog files.",
    (counts) => counts.qlogEvents,
  );
}
