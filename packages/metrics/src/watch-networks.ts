import { Gauge, type Registry } from "prom-client";

/** A loaded network; `ModelRegistry.loaded()` of `@sluice/server` has this form. */
export interface NetworkFigures {
  readonly model: string;
  /** Empty: the whole model. */
  readonly split: string;
  /** What computes it: a provider of onnxruntime, a backend of TensorFlow.js; empty where there is no choice. */
  readonly provider: string;
}

/** Registers which networks are loaded and what computes them, read anew for each scrape. */
export function watchNetworks(registry: Registry, read: () => readonly NetworkFigures[]): void {
  new Gauge({
    name: "sluice_network_loaded",
    help: "1 for each network that is loaded: the model, its cut, and what computes it.",
    labelNames: ["model", "split", "provider"],
    registers: [registry],
    collect() {
      this.reset();
      for (const { model, split, provider } of read()) this.set({ model, split, provider }, 1);
    },
  });
}
