/** The tensor streams that a client has asked for, and what it expects of their frames (spec 3.3, 4.3). */
import type { AnnouncedLimits } from "./announced-limits.js";
import { ErrorCode, ProtocolError } from "./error-code.js";
import { createFrameTimes, type FrameTimes } from "./frame-times.js";
import { createGateMargin, type GateMargin } from "./gate-margin.js";
import { maxStreamAlias } from "./limits.js";
import type { TensorStreamOptions } from "./tensor-stream.js";

export interface ClientStream {
  readonly options: TensorStreamOptions;
  accepted: boolean;
  /** Bytes of the slices of one frame. */
  maxFrameBytes: number;
  nextFrame: number;
  /** Smoothed expectation for the gate. */
  payloadBytes: number;
  /** Bytes of the repair symbols of one frame. */
  parityBytes: number;
  readonly margin: GateMargin;
  readonly times: FrameTimes;
}

export interface ClientStreams {
  /** The next alias. @throws RangeError where they are used up */
  takeAlias(): number;
  open(alias: number, options: TensorStreamOptions): void;
  get(alias: number): ClientStream | undefined;
  /** `undefined`: it was closed while the server's answer was on its way. @throws ProtocolError unknownStream */
  answered(alias: number): ClientStream | undefined;
  delete(alias: number): boolean;
  /** Why a stream is not even asked for. */
  refusal(
    options: TensorStreamOptions,
    limits: AnnouncedLimits,
  ): { code: number; reason: string } | undefined;
}

export function createClientStreams(): ClientStreams {
  const streams = new Map<number, ClientStream>();
  let nextAlias = 1;
  return {
    takeAlias() {
      if (nextAlias > maxStreamAlias)
        throw new RangeError(`a session has at most ${maxStreamAlias} tensor streams`);
      return nextAlias++;
    },
    open(alias, options) {
      streams.set(alias, {
        ...{ options, accepted: false, nextFrame: options.firstFrame, maxFrameBytes: 0 },
        ...{ payloadBytes: 0, parityBytes: 0, margin: createGateMargin(), times: createFrameTimes() },
      });
    },
    get: (alias) => streams.get(alias),
    answered(alias) {
      const stream = streams.get(alias);
      // spec 4.3
      if (!stream && (alias < 1 || alias >= nextAlias))
        throw new ProtocolError(ErrorCode.unknownStream, `stream ${alias} was never opened`);
      return stream;
    },
    delete: (alias) => streams.delete(alias),
    refusal(options, limits) {
      let accepted = 0;
      for (const stream of streams.values()) if (stream.accepted) accepted++;
      return limits.refusal(options, accepted);
    },
  };
}
