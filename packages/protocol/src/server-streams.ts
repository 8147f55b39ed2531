/** The tensor streams that a client has asked a server for (spec 4.3, 5.1, 5.3). */
import type { sluice } from "@sluice/proto";
import { ErrorCode, ProtocolError } from "./error-code.js";
import { maxResultStreamBytes, maxStreamAlias, type SessionLimits } from "./limits.js";
import { openStreamFromWire, type TensorStreamOptions } from "./tensor-stream.js";

export interface ServerStream {
  readonly options: TensorStreamOptions;
  accepted: boolean;
}

export interface ServerStreams {
  /** Takes a request in. @throws ProtocolError protocolViolation; what else it throws rejects the stream alone. */
  request(message: sluice.v1.OpenStream, limits: SessionLimits): TensorStreamOptions | StreamRefusal;
  get(alias: number): ServerStream | undefined;
  delete(alias: number): boolean;
  /** Whether the client has ever asked for it. */
  wasRequested(alias: number): boolean;
  /**
   * The stream that a slice is for; `undefined` where it is closed, and slices may still be on their way.
   * @throws ProtocolError unknownStream, protocolViolation
   */
  ofSlice(alias: number, isDatagram: boolean): ServerStream | undefined;
}

export interface StreamRefusal {
  readonly code: number;
  readonly reason: string;
}

export function createServerStreams(): ServerStreams {
  const streams = new Map<number, ServerStream>();
  let highestAlias = 0;
  return {
    request(message, limits) {
      const alias = message.stream;
      // spec 4.3: aliases rise, so that late slices of an old stream never meet a new one.
      if (alias <= highestAlias || alias > maxStreamAlias) {
        throw new ProtocolError(
          ErrorCode.protocolViolation,
          `open: stream ${alias} must be above ${highestAlias} and at most ${maxStreamAlias}`,
        );
      }
      highestAlias = alias;
      if (limits.maxStreams > 0 && streams.size >= limits.maxStreams) {
        return {
          code: ErrorCode.limitExceeded,
          reason: `at most ${limits.maxStreams} tensor streams are allowed`,
        };
      }
      try {
        const asked = openStreamFromWire(message, limits.maxTensorElements);
        // spec 7.4: what both allow.
        const most = Math.min(limits.maxResultBytes || maxResultStreamBytes, maxResultStreamBytes);
        const options = { ...asked, maxResultBytes: Math.min(asked.maxResultBytes, most) };
        streams.set(alias, { options, accepted: false });
        return options;
      } catch (error) {
        if (!(error instanceof ProtocolError)) throw error;
        return { code: error.code, reason: error.message };
      }
    },
    get: (alias) => streams.get(alias),
    delete: (alias) => streams.delete(alias),
    wasRequested: (alias) => alias <= highestAlias,
    ofSlice(alias, isDatagram) {
      const stream = streams.get(alias);
      // spec 5.3: the client waits for the acceptance before it sends.
      if (!(stream?.accepted ?? alias <= highestAlias)) throw unknownStream(alias);
      // spec 5.1: each mode has one way.
      if (stream && (stream.options.mode === "datagram") !== isDatagram) {
        throw new ProtocolError(
          ErrorCode.protocolViolation,
          `a slice of stream ${alias}, of mode ${stream.options.mode}, ${isDatagram ? "in a datagram" : "on a QUIC stream"}`,
        );
      }
      return stream;
    },
  };
}

export function unknownStream(alias: number): ProtocolError {
  return new ProtocolError(ErrorCode.unknownStream, `stream ${alias} is not open`);
}
