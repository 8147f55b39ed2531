/** What a client's session tells of its frames, as traces. */
import type { StageTimes } from "@sluice/protocol";
import type { FrameTrace, Stage, TraceSpan } from "./frame-trace.js";
import { createOpenFrames, type FrameTracer, type TracerOptions } from "./frame-tracer.js";
import type { ToldEvent } from "./told-event.js";
import { traceIdOf } from "./trace-id.js";

interface ClientFrame {
  readonly stream: number;
  readonly frame: number;
  readonly capturedMs: number;
  readonly admittedMs: number;
  producedMs?: number;
  encodedMs?: number;
  firstSentMs?: number;
  lastSentMs?: number;
  slices: number;
  bytes: number;
  slicesSent: number;
  slicesRepeated: number;
  repairsSent: number;
}

type Ended = Extract<ToldEvent, { name: "frame_delivered" | "frame_expired" }>;

export function createClientTracer(options: TracerOptions): FrameTracer {
  const { session, now, epochMs, onTrace } = options;
  const open = createOpenFrames<ClientFrame>();
  let rttMs: number | undefined;

  function end(event: Ended): void {
    const frame = open.take(event);
    if (!frame) return;
    const endMs = now();
    const { stream, frame: number } = event;
    const { deadlineMs = 0, ...terms } = open.terms(stream);
    const isDelivered = event.name === "frame_delivered";
    const answered = isDelivered
      ? {
          ...{ slicesReceived: event.slicesReceived, slicesRecovered: event.slicesRecovered },
          concealedFraction: event.elements > 0 ? event.concealedElements / event.elements : 0,
        }
      : {};
    const { slices, bytes, slicesSent, slicesRepeated, repairsSent } = frame;
    const trace: FrameTrace = {
      ...{ traceId: traceIdOf(session, stream, number), side: "client", session, isNamedByClient: true },
      ...{ stream, frame: number, startMs: epochMs + frame.capturedMs },
      ...{ durationMs: endMs - frame.capturedMs, deadlineMs },
      outcome: isDelivered ? "delivered" : "expired",
      reason: isDelivered ? "" : event.reason,
      isLate: !isDelivered || !event.onTime,
      attributes: {
        ...{ ...terms, bytes, slices, slicesSent, slicesRepeated, repairsSent, ...answered },
        ...(rttMs === undefined ? {} : { rttMs }),
      },
      spans: spansOf(frame, event, rttMs, endMs).map((span) => ({
        ...span,
        startMs: epochMs + span.startMs,
      })),
    };
    onTrace(trace);
  }

  return {
    observe(event) {
      open.observe(event);
      switch (event.name) {
        case "session_closed":
          open.clear();
          return;
        case "frame_admitted": {
          const { stream, frame, capturedMs } = event;
          const nothing = { slices: 0, bytes: 0, slicesSent: 0, slicesRepeated: 0, repairsSent: 0 };
          open.add({ stream, frame, capturedMs, admittedMs: now(), ...nothing });
          return;
        }
        case "rate_updated":
          rttMs = event.rttMs;
          return;
        case "tensor_encoded": {
          const { produceMs, slices, bytes } = event;
          const frame = open.find(event);
          if (frame)
            Object.assign(frame, {
              producedMs: frame.admittedMs + produceMs,
              encodedMs: now(),
              slices,
              bytes,
            });
          return;
        }
        case "slice_sent": {
          const frame = open.find(event);
          if (!frame) return;
          frame.slicesSent++;
          if (event.isRepeat) {
            frame.slicesRepeated++;
            return;
          }
          const sentMs = now();
          frame.firstSentMs ??= sentMs;
          frame.lastSentMs = sentMs;
          return;
        }
        case "repair_sent": {
          const frame = open.find(event);
          if (frame) frame.repairsSent++;
          return;
        }
        case "frame_delivered":
        case "frame_expired":
          end(event);
          return;
        default:
      }
    },
  };
}

/** On the session's clock. */
function spansOf(frame: ClientFrame, event: Ended, rttMs: number | undefined, endMs: number): TraceSpan[] {
  const spans: TraceSpan[] = [];
  let atMs = frame.capturedMs;
  const until = (stage: Stage, untilMs: number) => {
    const to = Math.max(atMs, untilMs);
    if (stage !== "wait" || to > atMs) spans.push({ stage, startMs: atMs, durationMs: to - atMs });
    atMs = to;
  };
  const { producedMs, encodedMs, firstSentMs, lastSentMs } = frame;
  until("wait", frame.admittedMs);
  until("client", producedMs ?? endMs);
  if (encodedMs === undefined) return spans;
  until("encode", encodedMs);
  if (firstSentMs !== undefined) until("send-queue", firstSentMs);
  // Without slices in datagrams it has left on a stream of its own, unless the buffer gave it up.
  else if (event.name === "frame_expired" && isGivenUpHere(event.reason)) {
    until("send-queue", endMs);
    return spans;
  }
  if (lastSentMs !== undefined) until("send", Math.min(lastSentMs, endMs));
  if (event.stages) afterDeparture(spans, { ...frame, atMs, endMs }, event.stages, rttMs);
  else until("network", endMs);
  return spans;
}

/** The server says how long its stages took; the rest is the network's, of which half a round trip is the way back. */
function afterDeparture(
  spans: TraceSpan[],
  { atMs, endMs, firstSentMs }: Pick<ClientFrame, "firstSentMs"> & { atMs: number; endMs: number },
  stages: StageTimes,
  rttMs: number | undefined,
): void {
  const workMs = stages.queue + stages.decode + stages.conceal + stages.inference;
  const restMs = Math.max(0, endMs - atMs - workMs);
  const backMs = rttMs === undefined ? restMs / 2 : Math.min(rttMs / 2, restMs);
  let at = atMs + restMs - backMs;
  spans.push({ stage: "network", startMs: atMs, durationMs: restMs - backMs });
  const startMs = Math.max(at - stages.reassembly, firstSentMs ?? atMs);
  spans.push({ stage: "reassembly", startMs, durationMs: at - startMs, isReported: true });
  for (const stage of ["queue", "decode", "conceal", "inference"] as const) {
    spans.push({ stage, startMs: at, durationMs: stages[stage], isReported: true });
    at += stages[stage];
  }
  spans.push({ stage: "result", startMs: at, durationMs: Math.max(0, endMs - at) });
}

function isGivenUpHere(reason: string): boolean {
  return reason === "send-queue" || reason === "send-buffer" || reason === "too-large";
}
