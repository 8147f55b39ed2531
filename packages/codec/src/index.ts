export { maxCodecTextLength } from "./chain-codec.js";
export type {
  Codec,
  DecoderReference,
  EncodedSlice,
  EncodedTensor,
  EncodeOptions,
  FinishedTensor,
  PartialTensor,
  SliceFault,
  SlicePosition,
  TensorDecoder,
  TensorEncoder,
} from "./codec.js";
export type { LoadLibraryOptions } from "./image/load-image-library.js";
export { maxInterleavedElements } from "./interleave/dealing-order.js";
export {
  formatInterleaving,
  type Interleaving,
  interleaveField,
  interleavings,
  parseInterleaving,
} from "./interleave/interleaving.js";
export { type CodecDefaults, codecStages, defaultCodec, parseCodec } from "./parse-codec.js";
export { pipe } from "./pipe.js";
export { prepareCodec } from "./prepare-codec.js";
export { calibrateTransform, type TransformCalibration } from "./sluice/calibration/calibrate-transform.js";
export type { RunTail } from "./sluice/calibration/measure-importance.js";
export { createSluiceCodec } from "./sluice/sluice-codec.js";
export type { SluiceParameters } from "./sluice/sluice-plan.js";
export type {
  FormatOf,
  Kind,
  PieceOf,
  PlanContext,
  PlaneFormat,
  PlaneSize,
  PlannedStage,
  Stage,
  StageHistory,
  SymbolsFormat,
  TensorFormat,
  TooLong,
} from "./stage.js";
export type { CodecDefinition, StageDefinition } from "./stage-definition.js";
export type { ParameterReader } from "./stage-parameters.js";
export { entropy } from "./stages/entropy.js";
export { type Htj2kParameters, htj2k } from "./stages/htj2k.js";
export { integers } from "./stages/integers.js";
export { type JpegParameters, jpeg } from "./stages/jpeg.js";
export { type Jpeg2000Parameters, jpeg2000 } from "./stages/jpeg2000.js";
export { type PredictParameters, predict } from "./stages/predict.js";
export { type QuantizeParameters, quantize } from "./stages/quantize.js";
export { raw } from "./stages/raw.js";
export { type TileParameters, tile } from "./stages/tile.js";
export { type TransformStageParameters, transform } from "./stages/transform.js";
export type { Reordering, SliceExtent, UnitOrder, VisitRun } from "./unit-order.js";
