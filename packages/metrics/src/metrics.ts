import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from "prom-client";
import { createLabelLimit } from "./label-limit.js";
import { type TransportFigures, watchTransport } from "./watch-transport.js";

/** How a session ended that had been opened: in order, or by a broken transport or a violation of the protocol. */
export type SessionEnd = "closed" | "failed";

/** `failed`: the model failed on it. The others as in the spec's outcomes; `rejected`: never taken in. */
export type FrameOutcome = "delivered" | "expired" | "undecodable" | "failed" | "rejected";

/** Where the time of a frame goes, in its order. */
export type Stage = "network" | "reassembly" | "decode" | "conceal" | "queue" | "inference" | "result";

/** The moments at which the age of a frame since its capture is observed. */
export type FrameAgePoint = "inference" | "result";

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
  /** Once for each frame. `reason` says why it was not delivered; empty or left out where there is none. */
  observeFrame(outcome: FrameOutcome, reason?: string): void;
  observeSlicesReceived(count: number): void;
  /** Slices that were lost and that forward error correction has brought back. */
  observeSlicesRecovered(count: number): void;
  /** Repair symbols that came. */
  observeRepairSymbols(outcome: string, count: number): void;
  observeSlicesRejected(reason: string, count?: number): void;
  observeReceivedBytes(bytes: number): void;
  observeSentBytes(bytes: number): void;
  /** Share of a frame's elements that were concealed, 0 to 1. */
  observeConcealedRatio(ratio: number): void;
  observeStage(stage: Stage, durationMs: number): void;
  /** Age since the capture, when inference starts or when the result is sent. */
  observeFrameAge(at: FrameAgePoint, ageMs: number): void;
  observeDatagramsDropped(direction: DatagramDirection, reason: string, count?: number): void;
  /** A network begins with so many frames at once. */
  observeBatch(frames: number): void;
  /** Frames per second that each session may send because of the load; 0: it limits nothing. */
  observeLoadLimit(framesPerSecond: number): void;
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

const STAGES = [
  "network",
  "reassembly",
  "decode",
  "conceal",
  "queue",
  "inference",
  "result",
] as const satisfies readonly Stage[];
const FRAME_OUTCOMES = [
  "delivered",
  "expired",
  "undecodable",
  "failed",
  "rejected",
] as const satisfies FrameOutcome[];
/** The value of `reason` where there is none: an empty label is the same as no label. */
const NO_REASON = "none";
/** Reasons come from a registry of a few dozen. */
const MAX_REASONS = 48;

/** 0.1 ms (a decode) to 2.5 s (a frame that is long useless). */
const STAGE_BUCKETS_S = [
  0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.02, 0.035, 0.05, 0.075, 0.1, 0.15, 0.25, 0.5, 1, 2.5,
];
/** Frame by frame at 30 Hz: deadlines lie between 30 ms and 1 s, so that is where the resolution is. */
const AGE_BUCKETS_S = [
  0.005, 0.01, 0.02, 0.03, 0.04, 0.05, 0.065, 0.08, 0.1, 0.125, 0.15, 0.2, 0.3, 0.5, 1, 2.5,
];
const BATCH_BUCKETS = [1, 2, 3, 4, 6, 8, 12, 16, 32];
const RATIO_BUCKETS = [0, 0.001, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.35, 0.5, 0.75, 1];

/** Creates a registry of its own with every metric of a server in it, so that no series is missing before its first event. */
export function createMetrics(options: MetricsOptions = {}): Metrics {
  const registry = new Registry();
  const registers = [registry];
  if (options.processMetrics ?? true) collectDefaultMetrics({ register: registry });

  const counter = <L extends string>(name: string, help: string, labelNames: readonly L[] = []): Counter<L> =>
    new Counter({ name, help, labelNames: [...labelNames], registers });
  const histogram = <L extends string>(
    name: string,
    help: string,
    buckets: readonly number[],
    labelNames: readonly L[] = [],
  ): Histogram<L> =>
    new Histogram({ name, help, buckets: [...buckets], labelNames: [...labelNames], registers });

  const sessions = new Gauge({ name: "sluice_sessions", help: "Sessions that are open now.", registers });
  const sessionsTotal = counter("sluice_sessions_total", "Sessions by how they ended.", ["outcome"]);
  const frames = counter("sluice_frames_total", "Frames by their outcome and the reason for it.", [
    "outcome",
    "reason",
  ]);
  const slicesReceived = counter("sluice_slices_received_total", "Slices that arrived and were taken.");
  const slicesRecovered = counter(
    "sluice_slices_recovered_total",
    "Slices that were lost and that repair symbols brought back.",
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
  const concealedRatio = histogram(
    "sluice_concealed_elements_ratio",
    "Share of a frame's elements that were concealed.",
    RATIO_BUCKETS,
  );
  const stageSeconds = histogram(
    "sluice_stage_duration_seconds",
    "Time that a frame spent in a stage.",
    STAGE_BUCKETS_S,
    ["stage"],
  );
  const ageSeconds = histogram(
    "sluice_frame_age_seconds",
    "Age of a frame since its capture, when inference starts and when its result is sent.",
    AGE_BUCKETS_S,
    ["at"],
  );
  const batchFrames = histogram(
    "sluice_batch_frames",
    "Frames that a network ran on at once.",
    BATCH_BUCKETS,
  );
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
  const invalid = counter(
    "sluice_invalid_observations_total",
    "Observations left out because they were negative or not finite: a defect of the server.",
  );

  // Series that are known beforehand start at 0: a rate over a series that appears later misses its first event.
  for (const outcome of ["closed", "failed"]) sessionsTotal.inc({ outcome }, 0);
  for (const outcome of FRAME_OUTCOMES) frames.inc({ outcome, reason: NO_REASON }, 0);
  for (const stage of STAGES) stageSeconds.zero({ stage });
  for (const at of ["inference", "result"]) ageSeconds.zero({ at });

  const frameReason = createLabelLimit(MAX_REASONS, [NO_REASON]);
  const repairOutcome = createLabelLimit(MAX_REASONS);
  const sliceReason = createLabelLimit(MAX_REASONS);
  const datagramReason = createLabelLimit(MAX_REASONS);
  const errorCode = createLabelLimit(MAX_REASONS);

  /** Runs the observation when the number is sound. */
  function sound(value: number, observe: (value: number) => void): void {
    if (value >= 0 && value < Number.POSITIVE_INFINITY) observe(value);
    else invalid.inc();
  }

  return {
    observeSessionOpened: () => sessions.inc(),
    observeSessionEnded(outcome) {
      sessions.dec();
      sessionsTotal.inc({ outcome });
    },
    watchTransport: (read) => watchTransport(registry, read),
    observeFrame: (outcome, reason = "") => frames.inc({ outcome, reason: frameReason(reason || NO_REASON) }),
    observeSlicesReceived: (count) => sound(count, (n) => slicesReceived.inc(n)),
    observeSlicesRecovered: (count) => sound(count, (n) => slicesRecovered.inc(n)),
    observeRepairSymbols: (outcome, count) =>
      sound(count, (n) => repairSymbols.inc({ outcome: repairOutcome(outcome) }, n)),
    observeSlicesRejected: (reason, count = 1) =>
      sound(count, (n) => slicesRejected.inc({ reason: sliceReason(reason) }, n)),
    observeReceivedBytes: (bytes) => sound(bytes, (n) => receivedBytes.inc(n)),
    observeSentBytes: (bytes) => sound(bytes, (n) => sentBytes.inc(n)),
    observeConcealedRatio: (ratio) => sound(ratio, (share) => concealedRatio.observe(share)),
    observeStage: (stage, durationMs) =>
      sound(durationMs, (ms) => stageSeconds.observe({ stage }, ms / 1000)),
    observeFrameAge: (at, ageMs) => sound(ageMs, (ms) => ageSeconds.observe({ at }, ms / 1000)),
    observeDatagramsDropped: (direction, reason, count = 1) =>
      sound(count, (n) => datagramsDropped.inc({ direction, reason: datagramReason(reason) }, n)),
    observeBatch: (count) => sound(count, (n) => batchFrames.observe(n)),
    observeLoadLimit: (rate) => sound(rate, (n) => loadLimit.set(n)),
    observeProtocolError: (code) => protocolErrors.inc({ code: errorCode(String(code)) }),
    contentType: registry.contentType,
    text: () => registry.metrics(),
  };
}
