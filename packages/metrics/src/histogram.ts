import type { Metric, Registry } from "prom-client";

export interface HistogramOptions {
  readonly name: string;
  readonly help: string;
  /** Upper bounds of the buckets, rising; the last one to infinity is added. */
  readonly buckets: readonly number[];
  /** The label that tells its series apart, with the values that are there from the start. */
  readonly label?: { readonly name: string; readonly values: readonly string[] };
}

export interface SeriesHistogram {
  /** Counts a finite value in the series with this value of the label. */
  observe(value: number, label?: string): void;
}

interface Series {
  /** Of each bucket alone; those before it are added when somebody asks. */
  readonly counts: Float64Array;
  sum: number;
}

/**
 * A histogram that is asked about once in seconds and told of every stage of every frame: prom-client's own checks and hashes the
 * labels each time, which costs more than many a stage. In the registry it looks like one of prom-client's.
 */
export function createHistogram(registry: Registry, options: HistogramOptions): SeriesHistogram {
  const { name, help, buckets, label } = options;
  const series = new Map<string, Series>();

  function open(value: string): Series {
    const opened = { counts: new Float64Array(buckets.length + 1), sum: 0 };
    series.set(value, opened);
    return opened;
  }

  function read(): object {
    const values: { metricName: string; labels: Record<string, string | number>; value: number }[] = [];
    for (const [text, { counts, sum }] of series) {
      const labels = label ? { [label.name]: text } : {};
      let count = 0;
      for (const [i, bound] of [...buckets, "+Inf"].entries()) {
        count += counts[i]!;
        values.push({ metricName: `${name}_bucket`, labels: { le: bound, ...labels }, value: count });
      }
      values.push({ metricName: `${name}_sum`, labels, value: sum });
      values.push({ metricName: `${name}_count`, labels, value: count });
    }
    return { name, help, type: "histogram", values, aggregator: "sum" };
  }

  for (const value of label ? label.values : [""]) open(value);
  const metric = { name, help, type: "histogram", get: async () => read(), reset: () => series.clear() };
  registry.registerMetric(metric as unknown as Metric);
  return {
    observe(value, text = "") {
      const own = series.get(text) ?? open(text);
      let bucket = 0;
      while (bucket < buckets.length && value > buckets[bucket]!) bucket++;
      own.counts[bucket]! += 1;
      own.sum += value;
    },
  };
}
