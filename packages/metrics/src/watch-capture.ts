import { Counter, type Registry } from "prom-client";

/** Frames that were to be captured, counted since the start; `Capture` of `@sluice/server` has it all. */
export interface CaptureFigures {
  readonly written: number;
  readonly skipped: number;
}

/** Registers the metric of captures, which is read anew for each scrape. */
export function watchCapture(registry: Registry, read: () => CaptureFigures): void {
  new Counter({
    name: "sluice_captured_frames_total",
    help: "Frames that were to be captured: written, or skipped because the disk was behind or full or the captures have the bytes that they may have.",
    labelNames: ["outcome"],
    registers: [registry],
    collect() {
      this.reset();
      const { written, skipped } = read();
      this.inc({ outcome: "written" }, written);
      this.inc({ outcome: "skipped" }, skipped);
    },
  });
}
