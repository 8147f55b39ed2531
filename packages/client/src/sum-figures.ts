import type { SessionFigures } from "./client-api.js";

/** Figures over all sessions of a client. */
export interface ReconnectingFigures extends SessionFigures {
  /** Sessions that were opened. */
  readonly sessions: number;
  /** Times that nothing was heard of a session for `silenceMs`, and those after which it was heard again and went on. */
  readonly silences: number;
  readonly silencesOutlasted: number;
}

/** What is counted from the start of a session; everything else is as it is now. */
const counters = [
  ...(["offered", "admitted", "dropped", "expired", "delivered", "onTime", "inFlight"] as const),
  ...([
    "bytesSent",
    "bytesDelivered",
    "datagramsSent",
    "datagramsLost",
    "datagramsDropped",
    "lossRuns",
    "slicesRepeated",
    "repairsSent",
  ] as const),
];

/** Adds the counters of several sessions; estimates are those of the last one. */
export function sumFigures(sessions: readonly [...SessionFigures[], SessionFigures]): SessionFigures {
  let sum = sessions[0]!;
  for (const next of sessions.slice(1)) {
    const added = Object.fromEntries(counters.map((name) => [name, sum[name] + next[name]]));
    sum = {
      ...next,
      ...(added as Pick<SessionFigures, (typeof counters)[number]>),
      lossRunLengths: sumLengths(sum.lossRunLengths, next.lossRunLengths),
      dropReasons: sumReasons(sum.dropReasons, next.dropReasons),
      expiryReasons: sumReasons(sum.expiryReasons, next.expiryReasons),
    };
  }
  return sum;
}

function sumLengths(a: readonly number[], b: readonly number[]): number[] {
  return Array.from({ length: Math.max(a.length, b.length) }, (_, i) => (a[i] ?? 0) + (b[i] ?? 0));
}

function sumReasons<Reason extends string>(
  a: Readonly<Partial<Record<Reason, number>>>,
  b: Readonly<Partial<Record<Reason, number>>>,
): Partial<Record<Reason, number>> {
  const sum: Partial<Record<Reason, number>> = { ...a };
  for (const [reason, count] of Object.entries(b) as [Reason, number][])
    sum[reason] = (sum[reason] ?? 0) + count;
  return sum;
}

/** Frames that were offered while there was no session: each was dropped. */
export function countNotOpen(dropped: number): SessionFigures {
  return {
    ...{ offered: dropped, admitted: 0, dropped, expired: 0, delivered: 0, onTime: 0, inFlight: 0 },
    ...{ dropReasons: dropped > 0 ? { "not-open": dropped } : {}, expiryReasons: {} },
    ...{
      rttMs: undefined,
      bandwidthBitsPerSecond: undefined,
      rateBitsPerSecond: undefined,
      unreceivedBytes: 0,
    },
    ...{ bytesSent: 0, bytesDelivered: 0, datagramsSent: 0, slicesRepeated: 0, repairsSent: 0 },
    ...{ datagramsLost: 0, lossRuns: 0, lossRunLengths: [], lossShare: 0, meanLossRun: 1 },
    ...{ datagramsQueued: 0, datagramsDropped: 0 },
  };
}
