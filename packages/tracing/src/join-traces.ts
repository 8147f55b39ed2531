/** Puts what both ends have written of a frame together, on the client's clock. */
import type { FrameTrace, TraceSpan } from "./frame-trace.js";

/** A frame as one or both ends saw it. */
export interface JoinedTrace {
  readonly client?: FrameTrace;
  readonly server?: FrameTrace;
  /** The client's, or the server's where there is no other: what the frame's end is taken from. */
  readonly main: FrameTrace;
  /** In the order of their beginning; by the clock of `main`. */
  readonly spans: readonly TraceSpan[];
}

/** Frames in the order of their capture. Of several traces of one frame by one end the last one counts. */
export function joinTraces(traces: readonly FrameTrace[]): JoinedTrace[] {
  const frames = new Map<string, { client?: FrameTrace; server?: FrameTrace }>();
  for (const trace of traces) {
    const frame = frames.get(trace.traceId) ?? {};
    frame[trace.side] = trace;
    frames.set(trace.traceId, frame);
  }
  const offsets = clockOffsets([...frames.values()]);
  return [...frames.values()]
    .map(({ client, server }): JoinedTrace => {
      if (client && server) {
        const spans = joinSpans(client, server, offsets.get(client.session) ?? 0);
        return { client, server, main: client, spans };
      }
      const main = (client ?? server)!;
      return { ...(client ? { client } : { server: main }), main, spans: main.spans };
    })
    .sort((a, b) => a.main.startMs - b.main.startMs);
}

/**
 * By how much the server's clock is ahead, for each session: the median over its frames of the difference between what both
 * ends take for the capture.
 */
function clockOffsets(
  frames: readonly { readonly client?: FrameTrace; readonly server?: FrameTrace }[],
): ReadonlyMap<string, number> {
  const differences = new Map<string, number[]>();
  for (const { client, server } of frames) {
    if (!client || !server) continue;
    const ofSession = differences.get(client.session) ?? [];
    ofSession.push(server.startMs - client.startMs);
    differences.set(client.session, ofSession);
  }
  return new Map([...differences].map(([session, values]) => [session, quantiles(values, [0.5])[0]!]));
}

/** The client's own stages, the server's own, and between them the network as what is left. */
function joinSpans(client: FrameTrace, server: FrameTrace, offsetMs: number): TraceSpan[] {
  const own = client.spans.filter(({ stage, isReported }) => !isReported && !isNetwork(stage));
  const theirs = server.spans.map((span) => ({ ...span, startMs: span.startMs - offsetMs }));
  const endMs = client.startMs + client.durationMs;
  const sentMs = Math.max(client.startMs, ...own.map(endOf));
  const [reassembly] = theirs.filter(({ stage }) => stage === "reassembly");
  const answeredMs = Math.max(...theirs.map(endOf));
  const arrivedMs = reassembly ? endOf(reassembly) : answeredMs;
  const spans = [...own, ...theirs, gap("network", sentMs, arrivedMs)];
  // Of a frame that expired here nobody knows whether the answer was on its way.
  if (client.outcome === "delivered") spans.push(gap("result", answeredMs, endMs));
  return spans.sort((a, b) => a.startMs - b.startMs || endOf(a) - endOf(b));
}

const isNetwork = (stage: TraceSpan["stage"]) => stage === "network" || stage === "result";
const endOf = ({ startMs, durationMs }: TraceSpan) => startMs + durationMs;
const gap = (stage: TraceSpan["stage"], fromMs: number, toMs: number): TraceSpan => ({
  ...{ stage, startMs: Math.min(fromMs, toMs), durationMs: Math.max(0, toMs - fromMs) },
});

/** The values below which shares of the values lie, 0 to 1; NaN of none. */
export function quantiles(values: readonly number[], shares: readonly number[]): number[] {
  const sorted = [...values].sort((a, b) => a - b);
  return shares.map(
    (share) => sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? Number.NaN,
  );
}
