export type {
  Codec,
  EncodedSlice,
  EncodedTensor,
  EncodeOptions,
  PartialTensor,
  SliceFault,
  SlicePosition,
  TensorDecoder,
  TensorEncoder,
} from "./codec.js";
export {
  type CodecDefaults,
  codecStages,
  defaultCodec,
  maxCodecTextLength,
  parseCodec,
} from "./parse-codec.js";
