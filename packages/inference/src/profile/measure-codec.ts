import type { Codec } from "@sluice/codec";
import type { CutStatistics, Tensor } from "@sluice/tensor";
import { type TimedRuns, timeRuns } from "./time-runs.js";

/** Bytes of a datagram's payload, with room for the headers within 1,200 bytes. */
const payloadBytes = 1100;

/**
 * What goes over the path for each slice beside its payload: IP and UDP 28, QUIC with its seal 30, datagram frame and
 * session 4, the slice's header 18. An estimate: connection ids and numbers vary by some bytes.
 */
export const sliceOverheadBytes = 80;

/** What a codec makes of tensors, and takes for it. */
export interface MeasuredCodec {
  readonly encoding: Omit<TimedRuns<unknown>, "results">;
  readonly decoding: Omit<TimedRuns<unknown>, "results">;
  /** Bytes of the payloads of a tensor, and of all that goes over the path for it, on average. */
  readonly payload: number;
  readonly onPath: number;
  /** The tensors as they are decoded. */
  readonly decoded: readonly Tensor[];
}

/**
 * Codes tensors of one spec and takes them back.
 * @param tensors at least one
 * @param runs timed calls, at least one for each tensor
 * @param now milliseconds, of a clock that does not step
 * @throws TensorError where the codec does not take them
 */
export async function measureCodec(
  codec: Codec,
  tensors: readonly Tensor[],
  statistics: CutStatistics | undefined,
  { runs, now }: { readonly runs: number; readonly now: () => number },
): Promise<MeasuredCodec> {
  const [first] = tensors;
  const encoder = codec.createEncoder(first!, statistics);
  const decoder = codec.createDecoder(first!, statistics);
  let frame = 0;
  const encoding = await timeRuns(
    tensors,
    runs,
    (tensor) => encoder.encode(tensor, payloadBytes, { frame: frame++ }).slices,
    now,
  );
  const decoding = await timeRuns(
    encoding.results,
    runs,
    (slices) => {
      const partial = decoder.begin(0);
      for (const { index, count, payload } of slices) partial.add(index, count, payload);
      const { tensor } = partial.finish();
      return { ...tensor, data: tensor.data.slice() } as Tensor;
    },
    now,
  );
  const slices = encoding.results.flat();
  const payload = slices.reduce((sum, slice) => sum + slice.payload.length, 0) / tensors.length;
  return {
    ...{ encoding, decoding, payload, decoded: decoding.results },
    onPath: Math.round(payload + (sliceOverheadBytes * slices.length) / tensors.length),
  };
}
