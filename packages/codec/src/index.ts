export type {
  Codec,
  EncodedSlice,
  PartialTensor,
  SliceFault,
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
