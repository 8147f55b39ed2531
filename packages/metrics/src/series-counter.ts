import type { Metric, Registry } from "prom-client";

export interface SeriesCounterOptions {
  readonly name: string;
  readonly help: string;
  /** Labels that tell its series apart, in the order in which their values are given. Default: none. */
  readonly labels?: readonly string[];
}

export interface SeriesCounter {
  /** Adds a finite number that is not negative to the series with these values of the labels. */
  add(count: number, first?: string, second?: string): void;
}

interface Series {
  readonly values: readonly string[];
  count: number;
}

/**
 * A counter that is told of every frame and asked about once in seconds; see `createHistogram`. Each combination of values
 * is a series of its own, and whoever adds to it bounds how many there are. Without labels it starts at 0.
 */
export function createSeriesCounter(registry: Registry, options: SeriesCounterOptions): SeriesCounter {
  const { name, help, labels = [] } = options;
  const series = new Map<string, Map<string, Series>>();

  function find(first: string, second: string): Series {
    let ofFirst = series.get(first);
    if (!ofFirst) {
      ofFirst = new Map();
      series.set(first, ofFirst);
    }
    let found = ofFirst.get(second);
    if (!found) {
      found = { values: [first, second], count: 0 };
      ofFirst.set(second, found);
    }
    return found;
  }

  function read(): object {
    const values = [...series.values()].flatMap((ofFirst) =>
      [...ofFirst.values()].map(({ values: texts, count }) => ({
        labels: Object.fromEntries(labels.map((label, i) => [label, texts[i]])),
        value: count,
      })),
    );
    return { name, help, type: "counter", values, aggregator: "sum" };
  }

  if (labels.length === 0) find("", "");
  const metric = { name, help, type: "counter", get: async () => read(), reset: () => series.clear() };
  registry.registerMetric(metric as unknown as Metric);
  return {
    add(count, first = "", second = "") {
      find(first, second).count += count;
    },
  };
}
