/** What a session does, flat and in the units that are written: what traces are made of, and what stands in qlog files. */
import type { ExpiryReason, SessionEvent, SessionLimits, StageTimes } from "@sluice/protocol";

interface FrameName {
  readonly stream: number;
  readonly frame: number;
}

/** What a report says of all datagrams with slices. */
export interface ReportFigures {
  readonly nextSequence: number;
  readonly datagramsReceived: number;
  readonly lost: number;
  readonly lossRuns: number;
  readonly queuedFrames: number;
}

/** A slice or a repair symbol on its way; `bytes` of its payload, `sequence` of its datagram. */
interface SliceOnItsWay extends FrameName {
  readonly index: number;
  readonly count: number;
  readonly bytes: number;
  readonly sequence: number;
}

/** What a stream was opened with; texts are empty where there is none. */
export interface StreamTerms {
  readonly model: string;
  readonly split: string;
  readonly codec: string;
  readonly mode: string;
  readonly fec: string;
  readonly concealment: string;
  readonly deadlineMs: number;
}

interface Closing {
  readonly code: number;
  readonly reason: string;
}

/** What protocol and server tell as it is written. */
type AsTold = Extract<
  SessionEvent,
  {
    name:
      | "session_opened"
      | "session_closed"
      | "stream_closed"
      | "stream_rejected"
      | "slice_received"
      | "slice_refused"
      | "repair_received"
      | "datagram_recovered"
      | "frame_released"
      | "tensor_decoded"
      | "tensor_concealed"
      | "tensor_inferred"
      | "frame_answered"
      | "frame_dropped";
  }
>;

export type ToldEvent =
  | AsTold
  | ({ readonly name: "stream_opened"; readonly stream: number } & StreamTerms)
  | ({ readonly name: "limits_updated" } & SessionLimits)
  | { readonly name: "silence"; readonly isSilent: boolean }
  | ({ readonly name: "drain_received"; readonly timeoutMs: number } & Closing)
  | ({
      readonly name: "tensor_encoded";
      readonly produceMs: number;
      readonly encodeMs: number;
      readonly slices: number;
      readonly bytes: number;
    } & FrameName)
  | ({
      readonly name: "frame_admitted";
      readonly capturedMs: number;
      readonly expectedBytes: number;
    } & FrameName)
  | ({ readonly name: "slice_sent"; readonly isRepeat: boolean } & SliceOnItsWay)
  | ({ readonly name: "repair_sent" } & SliceOnItsWay)
  | ({ readonly name: "report_received" | "report_sent" } & ReportFigures)
  | {
      readonly name: "rate_updated";
      readonly bandwidthBitsPerSecond: number | undefined;
      readonly rateBitsPerSecond: number | undefined;
      readonly rttMs: number | undefined;
      readonly queueMs: number;
    }
  | ({
      readonly name: "frame_expired";
      readonly reason: ExpiryReason;
      readonly stages?: StageTimes;
    } & FrameName)
  | ({
      readonly name: "frame_delivered";
      readonly latencyMs: number;
      readonly onTime: boolean;
      readonly stages: StageTimes;
      readonly slicesReceived: number;
      readonly slicesRecovered: number;
      readonly elements: number;
      readonly concealedElements: number;
    } & FrameName);
