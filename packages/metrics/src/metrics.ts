import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from "prom-client";
import { createFrameMetrics, type FrameAgePoint, MAX_REASONS } from "./frame-metrics.js";
import { createLabelLimit } from "./label-limit.js";
import { createSeriesCounter } from "./series-counter.js";
import { serverStages } from "./stages.js";
import { type CaptureFigures, watchCapture } from "./watch-capture.js";
import { type NetworkFigures, watchNetworks } from "./watch-networks.js";
import { type QueueFigures, watchQueues } from "./watch-queues.js";
import { type TracingCounts, watchTracing } from "./watch-tracing.js";
import { type TransportFigures, watchTransport } from "./watch-transport.js";

/** How a session ended that had been opened: in order, or by a broken transport or a violation of the protocol. */
export type SessionEnd = "closed" | "failed";

/** `failed`: the model failed on it. The others as in the spec's outcomes; `rejected`: never taken in. */
export type FrameOutcome = "delivered" | "expired" | "undecodable" | "failed" | "rejected";

/** Where the time of a frame goes at a server, in its order. */
export type Stage = (typeof serverStages)[number];

export type DatagramDirection = "received" | "sent";

/**
 * What a server tells about itself, as plain functions that never throw. Numbers that are negative or not finite are
 * left out and counted in `sluice_invalid_observations_total`; reasons and codes beyond a bound become `other`.
 */
export interface Metrics {
  observeSessionOpened(): void;
  /** For a session that was opened. */
  observeSessionEnded(outcome: SessionEnd): void;
  /** Adds the metrics of a transport: refusals, engine restarts, connections. To be called once. */
  watchTransport(read: () => TransportFigures): void;
  /** Adds what has become of the frames that were to be captured. To be called once. */
  watchCapture(read: () => CaptureFigures): void;
  /** Adds how full the server's queues are, read anew for each scrape. To be called once. */
  watchQueues(read: () => QueueFigures): void;
  /** Adds which networks are loaded and what computes them, read anew for each scrape. To be called once. */
  watchNetworks(read: () => readonly NetworkFigures[]): void;
  /** Adds what became of traces and qlog events. To be called once. */
  watchTracing(read: () => TracingCounts): void;
  /** Once for each frame. `reason` says why it was not delivered; empty or left out where there is none. */
  observeFrame(outcome: FrameOutcome, reason?: string): void;
  /** Frames of which a first slice was taken. */
  observeFramesBegun(count: number): void;
  observeSlicesReceived(count: number): void;
  /** Slices that were lost and that forward error correction has brought back. */
  observeSlicesRecovered(count: number): void;
  /** Repair symbols that came. */
  observeRepairSymbols(outcome: string, count: number): void;
  observeSlicesRejected(reason: string, count?: number): void;
  observeReceivedBytes(bytes: number): void;
  observeSentBytes(bytes: number): void;
  /** Large results that began on QUIC streams of their own, and the bytes of these. */
  observeResultStreams(results: number, bytes: number): void;
  observeResultsGivenUp(reason: string, count: number): void;
  /** Units of a frame, those that did not come, and the runs that these form. */
  observeUnits(expected: number, missing: number, runs: number): void;
  /** A network begins with so many frames at once. */
  observeBatch(frames: number): void;
  /** Frames per second that each session may send because of the load; 0: it limits nothing. */
  observeLoadLimit(framesPerSecond: number): void;
  /** Share of a frame's elements that were concealed, 0 to 1. */
  observeConcealedRatio(ratio: number): void;
  observeStage(stage: Stage, durationMs: number): void;
  /** Age since the capture, when inference starts or when the result is sent. */
  observeFrameAge(at: FrameAgePoint, ageMs: number): void;
  observeDatagramsDropped(direction: DatagramDirection, reason: string, count?: number): void;
  observeProtocolError(code: number | string): void;
  /** The `Content-Type` of {@link Metrics.text}. */
  readonly contentType: string;
  /** Everything in the Prometheus text format. */
  text(): Promise<string>;
}

export interface MetricsOptions {
  /** Also collect the figures of the process and of its event loop (`process_*`, `nodejs_*`). Default true. */
  readonly processMetrics?: boolean;
}

const FRAME_OUTCOMES: readonly FrameOutcome[] = ["delivered", "expired", "undecodable", "failed", "rejected"];
/** `taken` brought slices back or may; what came for nothing: all others. */
const REPAIR_OUTCOMES = ["taken", "duplicate", "unneeded", "late", "refused"];
const GIVEN_UP_REASONS = ["expired", "late", "refused", "stopped"];
const BATCH_BUCKETS = [1, 2, 3, 4, 6, 8, 12, 16, 32];

/** Creates a registry of its own with every metric of a server in it, so that no series is missing before its first event. */
export function createMetrics(options: MetricsOptions = {}): Metrics {
  const registry = new Registry();
  const registers = [registry];
  if (options.processMetrics ?? true) collectDefaultMetrics({ register: registry });

  const counter = <L extends string>(name: string, help: string, labelNames: readonly L[] = []): Counter<L> =>
    new Counter({ name, help, labelNames: [...labelNames], registers });
  const sessions = new Gauge({ name: "sluice_sessions", help: "Sessions that are open now.", registers });
  const sessionsTotal = counter("sluice_sessions_total", "Sessions by how they ended.", ["outcome"]);
  const frames = createFrameMetrics(registry, FRAME_OUTCOMES, serverStages, ["inference", "result"]);
  const unitsExpected = createSeriesCounter(registry, {
    name: "sluice_units_expected_total",
    help: "Units of tensors of which at least one slice came.",
  });
  const unitsMissing = createSeriesCounter(registry, {
    name: "sluice_units_missing_total",
    help: "Of these, units that did not come and were concealed.",
  });
  const missingRuns = createSeriesCounter(registry, {
    name: "sluice_missing_unit_runs_total",
    help: "Runs of missing units, one after the other.",
  });
  const framesBegun = counter(
    "sluice_frames_begun_total",
    "Frames of which a first slice came; those without an outcome yet are under way.",
  );
  const repairSymbols = counter(
    "sluice_repair_symbols_total",
    "Repair symbols that arrived, by what became of them.",
    ["outcome"],
  );
  const slicesRejected = counter("sluice_slices_rejected_total", "Slices that arrived and were not taken.", [
    "reason",
  ]);
  const receivedBytes = counter("sluice_received_bytes_total", "Bytes received in datagrams and streams.");
  const sentBytes = counter("sluice_sent_bytes_total", "Bytes sent in datagrams and streams.");
  const resultStreams = counter(
    "sluice_result_streams_total",
    "Results too large for a message, each sent on a stream of its own.",
  );
  const resultStreamBytes = counter("sluice_result_stream_bytes_total", "Bytes sent on such streams.");
  const resultsGivenUp = counter(
    "sluice_results_given_up_total",
    "Such results that were given up: expired on their way, late and so not begun, refused as too many were on their way, stopped by the client.",
    ["reason"],
  );
  const batchFrames = new Histogram({
    name: "sluice_batch_frames",
    help: "Frames that a network ran on at once.",
    buckets: BATCH_BUCKETS,
    registers,
  });
  const loadLimit = new Gauge({
    name: "sluice_load_limit_frames_per_second",
    help: "Frames per second that each session may send because of the load, 0 for no limit.",
    registers,
  });
  const datagramsDropped = counter(
    "sluice_datagrams_dropped_total",
    "Datagrams given up, by direction and reason.",
    ["direction", "reason"],
  );
  const protocolErrors = counter(
    "sluice_protocol_errors_total",
    "Violations of the protocol by peers, by code.",
    ["code"],
  );
  // Series that are known beforehand start at 0: a rate over a series that appears later misses its first event.
  for (const outcome of ["closed", "failed"]) sessionsTotal.inc({ outcome }, 0);
  for (const outcome of REPAIR_OUTCOMES) repairSymbols.inc({ outcome }, 0);
  for (const reason of GIVEN_UP_REASONS) resultsGivenUp.inc({ reason }, 0);

  const repairOutcome = createLabelLimit(MAX_REASONS);
  const sliceReason = createLabelLimit(MAX_REASONS);
  const datagramReason = createLabelLimit(MAX_REASONS);
  const givenUpReason = createLabelLimit(MAX_REASONS);
  const errorCode = createLabelLimit(MAX_REASONS);

  const { sound, isSound, ...ofFrames } = frames;
  return {
    observeSessionOpened: () => sessions.inc(),
    observeSessionEnded(outcome) {
      sessions.dec();
      sessionsTotal.inc({ outcome });
    },
    watchTransport: (read) => watchTransport(registry, read),
    watchCapture: (read) => watchCapture(registry, read),
    watchQueues: (read) => watchQueues(registry, read),
    watchNetworks: (read) => watchNetworks(registry, read),
    watchTracing: (read) => watchTracing(registry, read),
    ...ofFrames,
    observeFramesBegun: (count) => sound(count, (n) => framesBegun.inc(n)),
    observeUnits(expected, missing, runs) {
      if (isSound(expected)) unitsExpected.add(expected);
      if (isSound(missing)) unitsMissing.add(missing);
      if (isSound(runs)) missingRuns.add(runs);
    },
    observeRepairSymbols: (outcome, count) =>
      sound(count, (n) => repairSymbols.inc({ outcome: repairOutcome(outcome) }, n)),
    observeSlicesRejected: (reason, count = 1) =>
      sound(count, (n) => slicesRejected.inc({ reason: sliceReason(reason) }, n)),
    observeReceivedBytes: (bytes) => sound(bytes, (n) => receivedBytes.inc(n)),
    observeSentBytes: (bytes) => sound(bytes, (n) => sentBytes.inc(n)),
    observeResultStreams(results, bytes) {
      sound(results, (n) => resultStreams.inc(n));
      sound(bytes, (n) => resultStreamBytes.inc(n));
    },
    observeResultsGivenUp: (reason, count) =>
      sound(count, (n) => resultsGivenUp.inc({ reason: givenUpReason(reason) }, n)),
    observeBatch: (count) => sound(count, (n) => batchFrames.observe(n)),
    observeLoadLimit: (rate) => sound(rate, (n) => loadLimit.set(n)),
    observeDatagramsDropped: (direction, reason, count = 1) =>
      sound(count, (n) => datagramsDropped.inc({ direction, reason: datagramReason(reason) }, n)),
    observeProtocolError: (code) => protocolErrors.inc({ code: errorCode(String(code)) }),
    contentType: registry.contentType,
    text: () => registry.metrics(),
  };
}
