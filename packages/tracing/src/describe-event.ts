/** Makes {@link ToldEvent}s of what a session hands over. */
import {
  type ClientEvent,
  limitsFromWire,
  type SessionEvent,
  stageTimesOf,
  type TensorStreamOptions,
} from "@sluice/protocol";
import type { ReportFigures, StreamTerms, ToldEvent } from "./told-event.js";

type Rates = Extract<ToldEvent, { name: "rate_updated" }>;
type Received = Extract<SessionEvent, { name: "message" }>;

/** For one session: rates are told where they have changed. */
export function createEventDescriber(): (event: SessionEvent) => readonly ToldEvent[] {
  let rates: Rates | undefined;

  function updateRates(path: Received["path"]): Rates[] {
    const { bandwidthBitsPerSecond, rateBitsPerSecond, rttMs, queueMs } = path;
    const isSame =
      rates?.bandwidthBitsPerSecond === bandwidthBitsPerSecond &&
      rates?.rateBitsPerSecond === rateBitsPerSecond &&
      rates?.rttMs === rttMs;
    if (isSame) return [];
    rates = { name: "rate_updated", bandwidthBitsPerSecond, rateBitsPerSecond, rttMs, queueMs };
    return [rates];
  }

  return (event) => {
    switch (event.name) {
      case "event":
        return describeClientEvent(event.event);
      case "message": {
        const { message, path } = event;
        const told: ToldEvent =
          message.kind === "limits"
            ? { name: "limits_updated", ...limitsFromWire(message.body) }
            : { name: "report_received", ...describeReport(message.body) };
        return [told, ...updateRates(path)];
      }
      case "report_sent":
        return [{ name: "report_sent", ...describeReport(event.report) }];
      case "limits_updated":
        return [{ name: "limits_updated", ...event.limits }];
      case "stream_opened":
        return [{ name: "stream_opened", stream: event.stream, ...describeStream(event) }];
      case "frame_admitted": {
        const { stream, frame, capturedMs, expectedBytes } = event.entry;
        return [{ name: "frame_admitted", stream, frame, capturedMs, expectedBytes }];
      }
      case "tensor_encoded": {
        const { slices, ...rest } = event;
        const bytes = slices.reduce((sum, { payload }) => sum + payload.length, 0);
        return [{ ...rest, slices: slices.length, bytes }];
      }
      case "slice_sent":
        return event.slice.protectsFrom === undefined
          ? [{ name: "slice_sent", isRepeat: event.isRepeat, ...describeSlice(event) }]
          : [{ name: "repair_sent", ...describeSlice(event) }];
      default:
        return [event];
    }
  };
}

function describeClientEvent(event: ClientEvent): ToldEvent[] {
  switch (event.type) {
    case "open": {
      const { agent, capabilities, limits } = event;
      return [
        { name: "session_opened", agent, capabilities },
        { name: "limits_updated", ...limits },
      ];
    }
    case "stream-accepted": {
      const { stream, options, model, concealment } = event;
      return [{ name: "stream_opened", stream, ...describeStream({ ...options, model, concealment }) }];
    }
    case "stream-rejected":
      return [{ name: "stream_rejected", stream: event.stream, code: event.code, reason: event.reason }];
    case "delivered": {
      const { frame, result, latencyMs, onTime } = event;
      const { slicesReceived, slicesRecovered, elements, concealedElements } = result;
      return [
        {
          ...{ name: "frame_delivered", stream: frame.stream, frame: frame.frame, latencyMs, onTime },
          ...{ stages: stageTimesOf(result), slicesReceived, slicesRecovered, elements, concealedElements },
        },
      ];
    }
    case "expired": {
      const { frame, reason, result } = event;
      const answered = result ? { stages: stageTimesOf(result) } : {};
      return [{ name: "frame_expired", stream: frame.stream, frame: frame.frame, reason, ...answered }];
    }
    case "silence":
      return [{ name: "silence", isSilent: event.isSilent }];
    case "drain":
      return [{ name: "drain_received", code: event.code, reason: event.reason, timeoutMs: event.timeoutMs }];
    case "closed":
      return [{ name: "session_closed", code: event.code, reason: event.reason }];
    default:
      event satisfies never;
      return [];
  }
}

function describeStream(options: StreamTerms | TensorStreamOptions): StreamTerms {
  const { model, split, codec, mode, fec, concealment, deadlineMs } = options;
  return { model, split, codec, mode, fec, concealment, deadlineMs };
}

function describeSlice({ of, slice, sequence }: Extract<SessionEvent, { name: "slice_sent" }>) {
  const { index, count, payload } = slice;
  return { stream: of.stream, frame: of.frame, index, count, bytes: payload.length, sequence };
}

function describeReport(report: Extract<SessionEvent, { name: "report_sent" }>["report"]): ReportFigures {
  return {
    nextSequence: report.nextSequence ?? 0,
    datagramsReceived: Number(report.datagramsReceived ?? 0),
    lost: report.lost ?? 0,
    ...{ lossRuns: report.lossRuns ?? 0, queuedFrames: report.queuedFrames ?? 0 },
  };
}
