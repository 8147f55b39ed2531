import { Counter, Gauge, type Registry } from "prom-client";
import { createLabelLimit } from "./label-limit.js";

/** What the live choice of where a network runs knows; `figures()` of an adaptive stream has this form. */
export interface StrategyFigures {
  readonly probes: number;
  /** Frames that were sent and whose result is that of the work here. */
  readonly rescued: number;
  /** Frames offered to each candidate. */
  readonly offeredTo: Readonly<Record<string, number>>;
  readonly estimates: { readonly clientLoad: number; readonly serverLoad: number };
  readonly predictions: readonly { readonly candidate: string; readonly totalMs: number }[];
}

/** The network runs somewhere else from now on; what `onSwitch` of an adaptive stream is told is one. */
export interface StrategyChange {
  readonly to: string;
  readonly cause: string;
}

export interface StrategyMetrics {
  observeSwitch(change: StrategyChange): void;
  /** Adds what is read anew for each scrape. To be called once. */
  watch(read: () => StrategyFigures): void;
}

const MAX_CAUSES = 16;

/** Names of candidates are the application's own, and few. */
export function createStrategyMetrics(registry: Registry): StrategyMetrics {
  const switches = new Counter({
    name: "sluice_strategy_switches_total",
    help: "Changes of where the network runs, by cause.",
    labelNames: ["cause"],
    registers: [registry],
  });
  const cause = createLabelLimit(MAX_CAUSES);
  let chosen: string | undefined;
  return {
    observeSwitch(change) {
      chosen = change.to;
      switches.inc({ cause: cause(change.cause) });
    },
    watch: (read) => watchStrategy(registry, read, () => chosen),
  };
}

function watchStrategy(
  registry: Registry,
  read: () => StrategyFigures,
  chosen: () => string | undefined,
): void {
  const registers = [registry];
  const byCandidate = (name: string, help: string, collect: (to: Gauge<"candidate">) => void) =>
    new Gauge({
      ...{ name, help, labelNames: ["candidate"] as const, registers },
      collect() {
        this.reset();
        collect(this);
      },
    });
  byCandidate("sluice_strategy_active", "1 for the candidate that is in use.", (to) => {
    for (const candidate of Object.keys(read().offeredTo)) {
      to.set({ candidate }, candidate === chosen() ? 1 : 0);
    }
  });
  byCandidate("sluice_strategy_frames", "Frames offered to each candidate so far.", (to) => {
    for (const [candidate, count] of Object.entries(read().offeredTo)) to.set({ candidate }, count);
  });
  byCandidate(
    "sluice_strategy_predicted_latency_seconds",
    "The total inference time that is expected of each candidate; none for one that cannot be used.",
    (to) => {
      for (const { candidate, totalMs } of read().predictions) {
        if (Number.isFinite(totalMs)) to.set({ candidate }, totalMs / 1_000);
      }
    },
  );
  new Gauge({
    ...{ name: "sluice_strategy_load_ratio", labelNames: ["side"] as const, registers },
    help: "How many times longer than expected each side works.",
    collect() {
      const { clientLoad, serverLoad } = read().estimates;
      this.set({ side: "client" }, clientLoad);
      this.set({ side: "server" }, serverLoad);
    },
  });
  const counter = (name: string, help: string, count: () => number) =>
    new Counter({
      ...{ name, help, registers },
      collect() {
        this.reset();
        this.inc(count());
      },
    });
  counter(
    "sluice_strategy_probes_total",
    "Frames that were sent as well to look at a path that is not in use.",
    () => read().probes,
  );
  counter(
    "sluice_strategy_rescued_total",
    "Frames that the choice in use failed, or seemed to, and that were worked on here in time.",
    () => read().rescued,
  );
}
