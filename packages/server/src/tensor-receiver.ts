import { interleaveField, prepareCodec } from "@sluice/codec";
import {
  type ConcealmentMethod,
  createConcealer,
  createLastTensor,
  defaultConcealment,
  needsStatistics,
  parseConcealmentMethod,
  usesReference,
} from "@sluice/concealment";
import { ErrorCode, type ReceivedFrame, type ResultFormat, type TensorStreamOptions } from "@sluice/protocol";
import { createTensor, type Tensor, TensorError, type TensorSpec, tensorBytes } from "@sluice/tensor";
import type { ReceiverState } from "./capture/capture-record.js";
import { type FrameContext, type ServedStream, StreamRefusal } from "./served-model.js";
import type { SpareTensors } from "./spare-tensors.js";

/** What came of a frame's slices. */
export interface ReceivedTensor {
  readonly tensor: Tensor;
  readonly context: FrameContext;
  /** Slices that the decoder refused, by its reasons. They count as lost. */
  readonly refused: readonly string[];
  readonly decodeMs: number;
  readonly concealMs: number;
}

/** Turns the slices of a stream's frames into whole tensors. */
export interface TensorReceiver {
  readonly units: number;
  readonly concealment: ConcealmentMethod;
  readonly served: ServedStream;
  /** How its results are written. */
  readonly resultFormat: ResultFormat;
  /** `undefined`: nothing of it could be decoded. */
  receive(frame: Pick<ReceivedFrame, "frame" | "slices">, now: () => number): ReceivedTensor | undefined;
  /** The frame has ended: nobody looks at its tensor any more, where what serves the stream lets go of it. */
  release(received: ReceivedTensor): void;
  /** What the next frame depends on beside its slices, as a copy. */
  state(): ReceiverState;
  /**
   * Forgets all frames and goes on as a receiver of the same stream in this state would.
   * @throws TensorError where it is of another spec
   */
  restore(state: ReceiverState): void;
}

/**
 * Checks what a client asked for and prepares to receive it.
 * @param spare memory for its tensors; default: each has its own
 * @throws StreamRefusal
 */
export async function createTensorReceiver(
  options: TensorStreamOptions,
  served: ServedStream,
  spare?: SpareTensors,
): Promise<TensorReceiver> {
  const statistics = agreeOnStatistics(options.statisticsHash, served);
  const method = await readOr(ErrorCode.specMismatch, () =>
    options.concealment === ""
      ? (served.concealment ?? defaultConcealment)
      : parseConcealmentMethod(options.concealment),
  );
  if (needsStatistics(method) && !statistics) {
    throw new StreamRefusal(
      ErrorCode.statisticsMismatch,
      `concealment: ${method} needs statistics, none are agreed on`,
    );
  }
  const createDecoder = await readOr(ErrorCode.unknownCodec, async () => {
    const codec = await prepareCodec(options.codec);
    return () => codec.createDecoder(options.spec, statistics, options.interleave);
  });
  let decoder = await readOr(ErrorCode.unknownCodec, createDecoder);
  const concealer = await readOr(ErrorCode.statisticsMismatch, () =>
    createConcealer(options.spec, method, statistics ? { statistics } : {}),
  );
  // Of a reliable stream nothing gets lost that the tensor before could stand in for.
  const keepsLast = options.mode !== "reliable" && usesReference(method);
  const createLast = () => (keepsLast ? createLastTensor() : undefined);
  let last = createLast();
  return {
    units: decoder.units,
    concealment: method,
    served,
    resultFormat: options.resultFormat,
    receive(frame, now) {
      const startMs = now();
      const partial = decoder.begin(frame.frame, spare?.take(options.spec));
      const refused: string[] = [];
      for (const { index, count, payload } of frame.slices) {
        const fault = partial.add(index, count, payload);
        if (fault) refused.push(fault);
      }
      const { tensor, missing, missingCount, motion } = partial.finish();
      const decodedMs = now();
      if (missingCount === tensor.data.length) {
        spare?.give(tensor);
        return undefined;
      }
      if (missingCount > 0) {
        const framesBefore = frame.frame - (last?.frame ?? 0);
        const reference = last?.tensor && {
          tensor: last.tensor,
          framesBefore,
          ...(motion ? { motion } : {}),
        };
        concealer.conceal(tensor, missing, reference);
      }
      last?.offer(frame.frame, tensor, missingCount);
      const context = { missing, missingCount };
      return { tensor, context, refused, decodeMs: decodedMs - startMs, concealMs: now() - decodedMs };
    },
    release({ tensor }) {
      if (served.network.letsGo) spare?.give(tensor);
    },
    state() {
      const references = decoder.references?.() ?? [];
      if (!last?.tensor) return { references };
      return { last: { frame: last.frame, bytes: tensorBytes(last.tensor).slice() }, references };
    },
    restore(state) {
      decoder = createDecoder();
      decoder.restore?.(state.references);
      last = createLast();
      if (state.last) last?.offer(state.last.frame, tensorOf(options.spec, state.last.bytes), 0);
    },
  };
}

function tensorOf({ dtype, shape, layout }: TensorSpec, bytes: Uint8Array): Tensor {
  const tensor = createTensor(dtype, shape, undefined, layout);
  const into = tensorBytes(tensor);
  if (bytes.length !== into.length) {
    throw new TensorError("state.last", `${bytes.length} bytes, the tensor has ${into.length}`);
  }
  into.set(bytes);
  return tensor;
}

function agreeOnStatistics(hash: Uint8Array, served: ServedStream) {
  if (hash.length === 0) return undefined;
  const known = served.statistics;
  if (!known || known.hash.length !== hash.length || !known.hash.every((byte, i) => byte === hash[i])) {
    throw new StreamRefusal(
      ErrorCode.statisticsMismatch,
      "statistics: the client's are not the server's; use the same statistics file on both sides or none",
    );
  }
  return known.value;
}

async function readOr<T>(code: number, read: () => T | Promise<T>): Promise<T> {
  try {
    return await read();
  } catch (error) {
    if (error instanceof TensorError && error.field.startsWith(interleaveField))
      throw new StreamRefusal(ErrorCode.unknownInterleaving, error.message);
    if (error instanceof TensorError || error instanceof RangeError)
      throw new StreamRefusal(code, error.message);
    throw error;
  }
}
