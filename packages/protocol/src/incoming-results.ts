/** The QUIC streams that bring large results to a client, each the result of one frame (spec 7.4). */
import type { sluice } from "@sluice/proto";
import { ErrorCode, ProtocolError } from "./error-code.js";
import { createFrameTable } from "./frame-table.js";
import { maxResultStreamBytes, maxResultStreams } from "./limits.js";
import { createResultDecoder, type ResultDecoder, type ResultHeader } from "./result-framing.js";

export interface IncomingResults {
  /**
   * Takes bytes of a stream, named by any number.
   * @returns the code to stop it with where nothing more of it is wanted: it is forgotten then
   * @throws ProtocolError
   */
  take(id: number, chunk: Uint8Array, nowMs: number): number | undefined;
  /** All bytes of a stream have come. @throws ProtocolError where they are not a whole result */
  finish(id: number, nowMs: number): FinishedResult | undefined;
  /** A stream was reset. */
  drop(id: number): void;
  clear(): void;
  /** Bytes that wait for the rest of their result. */
  readonly heldBytes: number;
}

export interface FinishedResult {
  readonly result: sluice.v1.Result;
  /** From its first bytes to its last, in milliseconds. */
  readonly receiveMs: number;
}

interface Incoming {
  readonly decoder: ResultDecoder;
  readonly startMs: number;
  stream: number;
  frame: number;
}

/** `maxBytesOf`: how large a payload may be that a frame waits for; `undefined`: it does not wait. */
export function createIncomingResults(
  maxBytesOf: (stream: number, frame: number) => number | undefined,
): IncomingResults {
  const incoming = new Map<number, Incoming>();
  /** The frames that one of them brings the result of. */
  const begun = createFrameTable<true>();
  let heldBytes = 0;

  function begin(id: number, nowMs: number): Incoming {
    const decoder = createResultDecoder(checkSize);
    const entry = { decoder, startMs: nowMs, stream: 0, frame: 0 };
    incoming.set(id, entry);
    return entry;
  }

  /** spec 7.4, 9: before a byte of it is kept. */
  function checkSize({ stream, frame, payloadBytes }: ResultHeader): void {
    const maxBytes = maxBytesOf(stream, frame);
    if (maxBytes !== undefined && payloadBytes > maxBytes) {
      const reason = `result stream: ${payloadBytes} bytes for frame ${stream}/${frame}, which takes ${maxBytes}`;
      throw new ProtocolError(ErrorCode.limitExceeded, reason);
    }
  }

  function drop(id: number): void {
    const entry = incoming.get(id);
    if (!entry) return;
    incoming.delete(id);
    heldBytes -= entry.decoder.heldBytes;
    if (entry.stream !== 0) begun.take(entry.stream, entry.frame);
  }

  function refuse(id: number, code: number): number {
    drop(id);
    return code;
  }

  return {
    take(id, chunk, nowMs) {
      if (!incoming.has(id) && incoming.size >= maxResultStreams) return ErrorCode.limitExceeded;
      const entry = incoming.get(id) ?? begin(id, nowMs);
      heldBytes -= entry.decoder.heldBytes;
      const header = entry.decoder.decode(chunk);
      heldBytes += entry.decoder.heldBytes;
      if (header) {
        const { stream, frame } = header;
        if (begun.get(stream, frame)) return refuse(id, ErrorCode.deadline);
        entry.stream = stream;
        entry.frame = frame;
        begun.set(stream, frame, true);
      }
      // It may have ended meanwhile: the rest would only be in the way of others.
      const isWanted = entry.stream === 0 || maxBytesOf(entry.stream, entry.frame) !== undefined;
      if (!isWanted) return refuse(id, ErrorCode.deadline);
      return heldBytes > maxResultStreamBytes ? refuse(id, ErrorCode.limitExceeded) : undefined;
    },
    finish(id, nowMs) {
      const entry = incoming.get(id);
      if (!entry) return undefined;
      const result = entry.decoder.finish();
      drop(id);
      return { result, receiveMs: nowMs - entry.startMs };
    },
    drop,
    clear() {
      incoming.clear();
      begun.clear();
      heldBytes = 0;
    },
    get heldBytes() {
      return heldBytes;
    },
  };
}
