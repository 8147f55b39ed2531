/** What a server tells about its work; `@sluice/metrics` takes it as it is. Durations in milliseconds. */
export interface ServerObserver {
  observeSessionOpened(): void;
  observeSessionEnded(outcome: "closed" | "failed"): void;
  observeFrame(
    outcome: "delivered" | "expired" | "undecodable" | "failed" | "rejected",
    reason?: string,
  ): void;
  /** Frames of which a first slice was taken; each is observed with its outcome later. */
  observeFramesBegun(count: number): void;
  observeSlicesReceived(count: number): void;
  observeSlicesRecovered(count: number): void;
  observeRepairSymbols(outcome: string, count: number): void;
  observeSlicesRejected(reason: string, count?: number): void;
  observeReceivedBytes(bytes: number): void;
  observeSentBytes(bytes: number): void;
  /** Large results that began on streams of their own, and the bytes of these. */
  observeResultStreams(results: number, bytes: number): void;
  /** Of these `expired` (too late) and `stopped` (by the client); and `refused`, as too many were on their way. */
  observeResultsGivenUp(reason: "expired" | "refused" | "stopped", count: number): void;
  /** Units of a frame, those that did not come, and the runs that these form. */
  observeUnits(expected: number, missing: number, runs: number): void;
  observeConcealedRatio(ratio: number): void;
  /** `result`: from the end of the inference until the result is handed to the session. */
  observeStage(
    stage: "reassembly" | "decode" | "conceal" | "queue" | "inference" | "result",
    durationMs: number,
  ): void;
  observeFrameAge(at: "inference" | "result", ageMs: number): void;
  observeDatagramsDropped(direction: "received" | "sent", reason: string, count?: number): void;
  /** A network begins with so many frames at once. */
  observeBatch(frames: number): void;
  /** Frames per second that each session may send because of the load; 0: it limits nothing. */
  observeLoadLimit(framesPerSecond: number): void;
  observeProtocolError(code: number | string): void;
}

/** Logs as pino does. */
export interface ServerLog {
  debug(fields: object, message: string): void;
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
}
