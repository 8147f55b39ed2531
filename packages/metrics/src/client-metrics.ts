import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from "prom-client";
import { createFrameMetrics } from "./frame-metrics.js";
import { clientStages } from "./stages.js";
import { createStrategyMetrics, type StrategyChange, type StrategyFigures } from "./strategy-metrics.js";

/** Of what is told about a frame; `produce` is the client's half of the model. */
type ClientStage = Exclude<(typeof clientStages)[number], "client" | "send-queue"> | "produce";

/** How a frame ended at the client; `FrameOutcome` of `@sluice/client` is one. Durations in milliseconds. */
export type ClientFrame =
  | { readonly status: "dropped" | "expired"; readonly reason: string }
  | {
      readonly status: "delivered";
      readonly onTime: boolean;
      readonly latencyMs: number;
      /** Share of the elements that were concealed, 0 to 1. */
      readonly concealedFraction: number;
      readonly slicesReceived: number;
      readonly slicesRecovered: number;
      /** By stage, in milliseconds; `produce` is the client's half of the model. */
      readonly timings: Readonly<Record<ClientStage, number>>;
      /** The part of `network` that it waited at the client to be sent. */
      readonly sendQueueMs?: number;
    };

/** What a client knows of its session and its path; `figures()` of `@sluice/client` has it all. */
export interface ClientPathFigures {
  readonly rttMs: number | undefined;
  readonly bytesSent: number;
  readonly sessions?: number;
  readonly silences?: number;
  readonly silencesOutlasted?: number;
  readonly bandwidthBitsPerSecond?: number | undefined;
  readonly rateBitsPerSecond?: number | undefined;
  readonly datagramsSent?: number;
  readonly datagramsLost?: number;
  /** That wait in the transport, and those that it did not take. */
  readonly datagramsQueued?: number;
  readonly datagramsDropped?: number;
  readonly lossRuns?: number;
  /** Runs of i + 1 datagrams, at i, counted since the start. */
  readonly lossRunLengths?: readonly number[];
  readonly slicesRepeated?: number;
  readonly repairsSent?: number;
}

/** What a client tells about itself, under the names that a server has where both know the same thing. */
export interface ClientMetrics {
  /** Once for each frame that was offered. */
  observeFrame(frame: ClientFrame): void;
  /** Adds the figures of session and path, read anew for each scrape. To be called once. */
  watchPath(read: () => ClientPathFigures): void;
  /** The network runs somewhere else from now on. */
  observeSwitch(change: StrategyChange): void;
  /** Adds the figures of the choice where the network runs, read anew for each scrape. To be called once. */
  watchStrategy(read: () => StrategyFigures): void;
  readonly contentType: string;
  text(): Promise<string>;
}

/** Creates a registry of its own for one client. */
export function createClientMetrics(options: { readonly processMetrics?: boolean } = {}): ClientMetrics {
  const registry = new Registry();
  if (options.processMetrics ?? true) collectDefaultMetrics({ register: registry });
  const metrics = createFrameMetrics(registry, ["delivered", "expired", "dropped"], clientStages, ["result"]);
  const strategy = createStrategyMetrics(registry);
  const late = new Counter({
    name: "sluice_late_results_total",
    help: "Results that came after the deadline of their frame.",
    registers: [registry],
  });
  return {
    observeFrame(frame) {
      if (frame.status !== "delivered") {
        metrics.observeFrame(frame.status, frame.reason);
        return;
      }
      metrics.observeFrame("delivered");
      if (!frame.onTime) late.inc();
      metrics.observeFrameAge("result", frame.latencyMs);
      metrics.observeConcealedRatio(frame.concealedFraction);
      metrics.observeSlicesReceived(frame.slicesReceived);
      metrics.observeSlicesRecovered(frame.slicesRecovered);
      const { produce, ...others } = frame.timings;
      const waited = Math.min(frame.sendQueueMs ?? 0, others.network);
      const stages = { client: produce, ...others, "send-queue": waited, network: others.network - waited };
      for (const [stage, durationMs] of Object.entries(stages)) {
        metrics.observeStage(stage, durationMs);
      }
    },
    watchPath: (read) => watchPath(registry, read),
    observeSwitch: strategy.observeSwitch,
    watchStrategy: strategy.watch,
    contentType: registry.contentType,
    text: () => registry.metrics(),
  };
}

function watchPath(registry: Registry, read: () => ClientPathFigures): void {
  const registers = [registry];
  const counter = (name: string, help: string, pick: (figures: ClientPathFigures) => number | undefined) =>
    new Counter({
      ...{ name, help, registers },
      collect() {
        this.reset();
        this.inc(pick(read()) ?? 0);
      },
    });
  // Without a measurement there is no series: 0 would be a measurement.
  const gauge = (name: string, help: string, pick: (figures: ClientPathFigures) => number | undefined) =>
    new Gauge({
      ...{ name, help, registers },
      collect() {
        this.remove();
        const value = pick(read());
        if (value !== undefined) this.set(value);
      },
    });
  counter("sluice_sent_bytes_total", "Bytes sent in datagrams and streams.", (f) => f.bytesSent);
  counter("sluice_sessions_total", "Sessions that were opened.", (f) => f.sessions);
  counter("sluice_silences_total", "Times that nothing was heard of a session for long.", (f) => f.silences);
  counter(
    "sluice_silences_outlasted_total",
    "Those after which the session was heard again, and went on.",
    (f) => f.silencesOutlasted,
  );
  counter("sluice_datagrams_sent_total", "Datagrams handed to the transport.", (f) => f.datagramsSent);
  counter("sluice_datagrams_lost_total", "Datagrams that did not arrive.", (f) => f.datagramsLost);
  counter(
    "sluice_datagrams_dropped_total",
    "Datagrams given up before they were sent: the transport's queue was full, or they had become too large.",
    (f) => f.datagramsDropped,
  );
  gauge("sluice_datagrams_queued", "Datagrams that wait to be sent.", (f) => f.datagramsQueued);
  counter("sluice_loss_runs_total", "Runs of datagrams lost one after the other.", (f) => f.lossRuns);
  let told: readonly number[] = [];
  new Histogram({
    ...{ name: "sluice_loss_run_datagrams", help: "Datagrams lost one after the other.", registers },
    buckets: [1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 48],
    collect() {
      const lengths = read().lossRunLengths ?? [];
      for (const [i, count] of lengths.entries())
        for (let fresh = count - (told[i] ?? 0); fresh > 0; fresh--) this.observe(i + 1);
      told = lengths;
    },
  });
  counter("sluice_slices_repeated_total", "Slices that were sent again.", (f) => f.slicesRepeated);
  counter("sluice_repair_symbols_sent_total", "Repair symbols that were sent.", (f) => f.repairsSent);
  gauge(
    "sluice_bandwidth_bits_per_second",
    "What the bottleneck is estimated to carry.",
    (f) => f.bandwidthBitsPerSecond,
  );
  gauge("sluice_rate_bits_per_second", "What this session takes at most.", (f) => f.rateBitsPerSecond);
  gauge("sluice_round_trip_seconds", "Smoothed round trip.", (f) =>
    f.rttMs === undefined ? undefined : f.rttMs / 1000,
  );
}
