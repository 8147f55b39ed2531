/**
 * The rate at which the path delivers, from the spacing of datagrams that were sent close together: a train of
 * datagrams leaves the bottleneck at the bottleneck's rate, however little the application sends on average
 * (packet-train dispersion, Dovrolis et al., "What do packet dispersion techniques measure?").
 * The estimate is the upper quartile of the trains of the last seconds: jitter spreads most short trains and
 * squeezes few.
 */
export interface BandwidthEstimator {
  /** Datagrams of one train arrived: bytes of all but the first, and the time from the first to the last. */
  addTrain(bytes: number, spreadMs: number, nowMs: number): void;
  /** Bits per second; `undefined` before the first train. */
  readonly bitsPerSecond: number | undefined;
  /** When the last train came. */
  readonly measuredMs: number;
}

const windowMs = 4_000;
const maxTrains = 64;
/** Arrivals closer than the receiver's clock can tell apart give no finite rate. */
const minSpreadMs = 0.5;

export function createBandwidthEstimator(): BandwidthEstimator {
  let trains: { readonly atMs: number; readonly bitsPerSecond: number }[] = [];
  let estimate: number | undefined;
  let measuredMs = Number.NEGATIVE_INFINITY;
  return {
    addTrain(bytes, spreadMs, nowMs) {
      const bitsPerSecond = (bytes * 8_000) / Math.max(minSpreadMs, spreadMs);
      measuredMs = nowMs;
      trains = trains.filter((train) => nowMs - train.atMs < windowMs).slice(1 - maxTrains);
      trains.push({ atMs: nowMs, bitsPerSecond });
      const rates = trains.map((train) => train.bitsPerSecond).sort((a, b) => a - b);
      estimate = rates[(rates.length * 3) >> 2];
    },
    get bitsPerSecond() {
      return estimate;
    },
    get measuredMs() {
      return measuredMs;
    },
  };
}
