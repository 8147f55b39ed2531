// The one place that knows how a codec is made and driven, through its public interface alone.
import * as codecs from "@sluice/codec";

/** Reads a codec's text alone. @throws TensorError naming the stage or parameter */
export async function checkCodec(text) {
  // Modules that stages need (WebAssembly) are loaded before anything is timed.
  await codecs.prepareCodec(text);
  return codecs.parseCodec(text);
}

/**
 * A codec for tensors of one spec.
 * @param text of the chain
 * @param statistics of the cut; undefined where there are none
 * @param interleave text of what slices hold; default contiguous
 * @param budgetBytes that the payloads of a tensor may have together; undefined: no limit
 * @throws TensorError naming the stage, the parameter or what is missing
 */
export async function openCodec(text, spec, { statistics, budgetBytes, interleave = "" } = {}) {
  await checkCodec(text);
  const codec = codecs.parseCodec(text, statistics === undefined ? {} : { per: "channel" });
  const encoder = codec.createEncoder(spec, statistics, interleave);
  const decoder = codec.createDecoder(spec, statistics, interleave);
  const budget = budgetBytes === undefined ? {} : { budgetBytes };
  let frame = 0;
  return {
    text: codec.text,
    units: encoder.units,
    /** Whether frames are predicted from such that the receiver has. */
    predicts: encoder.acknowledge !== undefined,
    /** The receiver has the frame that was encoded so many frames before the last one. */
    acknowledge: (framesAgo) => encoder.acknowledge?.(frame - framesAgo),
    /** Encodes the next frame into slices, each of at most so many bytes. */
    encode: (tensor, maxPayloadBytes) =>
      encoder.encode(tensor, maxPayloadBytes, { frame: ++frame, ...budget }).slices,
    /** The tensor that the last frame's slices give, and how many of its elements they lack. */
    decode(slices) {
      const partial = decoder.begin(frame);
      for (const { index, count, payload } of slices) {
        const fault = partial.add(index, count, payload);
        if (fault !== undefined) {
          throw new Error(`${codec.text}: slice ${index} of ${count} is refused: ${fault}`);
        }
      }
      return partial.finish();
    },
  };
}
