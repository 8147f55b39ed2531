/** What a server's session tells of its frames, as traces. */
import { errorCodeLabel } from "@sluice/protocol";
import type { FrameTrace, Stage, TraceSpan } from "./frame-trace.js";
import { createOpenFrames, type FrameTracer, type TracerOptions } from "./frame-tracer.js";
import type { ToldEvent } from "./told-event.js";
import { traceIdOf } from "./trace-id.js";

type Released = Extract<ToldEvent, { name: "frame_released" }>;

interface ServerFrame extends Released {
  readonly releasedMs: number;
  decoded?: { readonly atMs: number; readonly decodeMs: number; readonly concealMs: number };
  inferred?: { readonly atMs: number; readonly inferenceMs: number };
}

interface ServerEnd {
  readonly outcome: FrameTrace["outcome"];
  readonly reason: string;
  readonly elements: number;
  readonly concealedElements: number;
}

/** `isNamedByClient`: the session's name is one that the client has told. */
export function createServerTracer(
  options: TracerOptions & { readonly isNamedByClient: boolean },
): FrameTracer {
  const { session, isNamedByClient, now, epochMs, onTrace } = options;
  const open = createOpenFrames<ServerFrame>();

  function end(frame: ServerFrame, { outcome, reason, elements, concealedElements }: ServerEnd): void {
    const endMs = now();
    const { stream, frame: number, rttMs, bytes, slicesReceived, slicesRecovered } = frame;
    const { deadlineMs, ...terms } = open.terms(stream);
    // What the first arrival says of the capture lacks the way here.
    const capturedMs = frame.capturedMs - rttMs / 2;
    onTrace({
      ...{ traceId: traceIdOf(session, stream, number), side: "server", session, isNamedByClient },
      ...{ stream, frame: number, startMs: epochMs + capturedMs, durationMs: endMs - capturedMs },
      ...{ deadlineMs, outcome, reason, isLate: outcome !== "done" || endMs > frame.expiresAtMs },
      attributes: {
        ...{ ...terms, rttMs, bytes, slicesReceived, slicesRecovered },
        ...(elements > 0 ? { concealedFraction: concealedElements / elements } : {}),
      },
      spans: spansOf(frame, endMs).map((span) => ({ ...span, startMs: epochMs + span.startMs })),
    });
  }

  return {
    observe(event) {
      open.observe(event);
      switch (event.name) {
        case "frame_released":
          open.add({ ...event, releasedMs: now() });
          return;
        case "tensor_decoded": {
          const frame = open.find(event);
          const { decodeMs, concealMs } = event;
          if (frame) frame.decoded = { atMs: now(), decodeMs, concealMs };
          return;
        }
        case "tensor_inferred": {
          const frame = open.find(event);
          if (frame) frame.inferred = { atMs: now(), inferenceMs: event.inferenceMs };
          return;
        }
        case "frame_answered": {
          const frame = open.take(event);
          const reason = event.outcome === "done" ? "" : errorCodeLabel(event.code);
          if (frame) end(frame, { ...event, reason });
          return;
        }
        case "session_closed":
          for (const frame of open.all()) {
            end(frame, { outcome: "expired", reason: "session-closed", elements: 0, concealedElements: 0 });
          }
          open.clear();
          return;
        default:
      }
    },
  };
}

/** On the session's clock. */
function spansOf(frame: ServerFrame, endMs: number): TraceSpan[] {
  const { firstArrivalMs, lastArrivalMs, releasedMs, decoded, inferred } = frame;
  const spans: TraceSpan[] = [];
  let atMs = firstArrivalMs;
  const until = (stage: Stage, untilMs: number) => {
    const to = Math.max(atMs, untilMs);
    spans.push({ stage, startMs: atMs, durationMs: to - atMs });
    atMs = to;
  };
  until("reassembly", lastArrivalMs);
  until("release", releasedMs);
  if (!decoded) {
    until("queue", endMs);
    return spans;
  }
  const decodedMs = decoded.atMs - decoded.concealMs;
  until("queue", decodedMs - decoded.decodeMs);
  until("decode", decodedMs);
  until("conceal", decoded.atMs);
  if (!inferred) {
    until("queue", endMs);
    return spans;
  }
  until("queue", inferred.atMs - inferred.inferenceMs);
  until("inference", inferred.atMs);
  until("answer", endMs);
  return spans;
}
