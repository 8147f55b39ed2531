/** What a server's session has counted, and its parts know, as `ServerFigures`. */
import type { createAdmission } from "./admission.js";
import type { createRecovery } from "./fec/recovery.js";
import type { createReassembly } from "./reassembly.js";
import type { createResultSender } from "./result-sender.js";
import type { createRttEstimator } from "./rtt-estimator.js";
import type { ServerFigures } from "./server-api.js";

/** Counted by the session itself; see `ServerFigures` for what each says. */
export interface ServerCounts {
  slicesReceived: number;
  slicesRecovered: number;
  framesAbandoned: number;
  bytesReceived: number;
  bytesSent: number;
}

export interface ServerParts {
  readonly rtt: ReturnType<typeof createRttEstimator>;
  readonly recovery: ReturnType<typeof createRecovery>;
  readonly admission: ReturnType<typeof createAdmission>;
  readonly reassembly: ReturnType<typeof createReassembly>;
  readonly results: ReturnType<typeof createResultSender>;
}

export const createServerCounts = (): ServerCounts => ({
  slicesReceived: 0,
  slicesRecovered: 0,
  framesAbandoned: 0,
  bytesReceived: 0,
  bytesSent: 0,
});

export function serverFigures(
  { slicesReceived, slicesRecovered, framesAbandoned, bytesReceived, bytesSent }: ServerCounts,
  { rtt, recovery, admission, reassembly, results }: ServerParts,
): ServerFigures {
  return {
    rttMs: rtt.smoothedMs,
    slicesReceived,
    bytesReceived,
    bytesSent,
    slicesRecovered,
    datagramsRecovered: recovery.datagramsRecovered,
    repairs: recovery.receipts,
    framesInFlight: admission.framesInFlight,
    framesBegun: reassembly.begun(),
    framesAbandoned,
    framesInReassembly: reassembly.frames(),
    bytesInReassembly: reassembly.bytes(),
    resultsRepeated: results.repeated,
    resultsWaiting: results.waiting,
    resultUploads: results.uploads,
  };
}
