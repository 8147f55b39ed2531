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
export { calibrateTransform, type TransformCalibration } from "./sluice/calibration/calibrate-transform.js";
export type { RunTail } from "./sluice/calibration/measure-importance.js";
export { createSluiceCodec } from "./sluice/sluice-codec.js";
export type { SluiceParameters } from "./sluice/sluice-plan.js";
