/** The QUIC streams that bring tensors to a server, each one frame (spec 5.1). */
import type { ReceivedSlice } from "./datagram.js";
import { ErrorCode, ProtocolError } from "./error-code.js";
import { maxReassemblyBytes } from "./limits.js";
import { createTensorDecoder, type TensorDecoder } from "./tensor-framing.js";

export interface TensorStreams {
  /** Takes bytes of a stream, named by any number, and gives the slices that are whole now. @throws ProtocolError */
  take(id: number, chunk: Uint8Array): ReceivedSlice[];
  /** A stream has ended or was reset; returns the frame that it brought, where one began. */
  end(id: number): { readonly stream: number; readonly frame: number } | undefined;
  /** Slices may be this large from now on. */
  allow(maxSliceBytes: number): void;
  clear(): void;
  /** Streams that have begun and not ended. */
  readonly size: number;
}

interface TensorStream {
  readonly decoder: TensorDecoder;
  /** 0 before the first slice. */
  stream: number;
  frame: number;
}

export function createTensorStreams(maxSliceBytes: number): TensorStreams {
  const streams = new Map<number, TensorStream>();
  let maxBytes = maxSliceBytes;
  /** Bytes that wait for the rest of their slice. */
  let heldBytes = 0;

  function begin(id: number): TensorStream {
    const tensor = { decoder: createTensorDecoder(maxBytes), stream: 0, frame: 0 };
    streams.set(id, tensor);
    return tensor;
  }

  return {
    take(id, chunk) {
      const tensor = streams.get(id) ?? begin(id);
      heldBytes -= tensor.decoder.heldBytes;
      const slices = tensor.decoder.decode(chunk);
      heldBytes += tensor.decoder.heldBytes;
      // spec 9
      if (heldBytes > maxReassemblyBytes) {
        const reason = `tensor streams: over ${maxReassemblyBytes} bytes in parts`;
        throw new ProtocolError(ErrorCode.limitExceeded, reason);
      }
      for (const { header } of slices) {
        const { stream, frame, sequence } = header;
        // spec 5.1
        if (sequence !== undefined) {
          const reason = "tensor stream: a slice with a sequence, which only datagrams have";
          throw new ProtocolError(ErrorCode.protocolViolation, reason);
        }
        if (tensor.stream !== 0 && (tensor.stream !== stream || tensor.frame !== frame)) {
          const reason = `tensor stream: a slice of frame ${stream}/${frame} behind one of ${tensor.stream}/${tensor.frame}`;
          throw new ProtocolError(ErrorCode.protocolViolation, reason);
        }
        tensor.stream = stream;
        tensor.frame = frame;
      }
      return slices;
    },
    end(id) {
      const tensor = streams.get(id);
      if (!tensor) return undefined;
      streams.delete(id);
      heldBytes -= tensor.decoder.heldBytes;
      return tensor.stream === 0 ? undefined : tensor;
    },
    allow(bytes) {
      maxBytes = Math.max(maxBytes, bytes);
    },
    clear() {
      streams.clear();
      heldBytes = 0;
    },
    get size() {
      return streams.size;
    },
  };
}
