/** Reading and editing ONNX models; free of Node, for pages as well. */
export type { DataFlow } from "../graph/data-flow.js";
export { type CutPosition, findCuts } from "../graph/find-cuts.js";
export { ModelError, type ModelErrorKind } from "../model-error.js";
export { encodeModel, type OnnxGraph, type OnnxModel, parseModel, requiredInputs } from "./model.js";
export { analyseDataFlow, checkCut } from "./onnx-flow.js";
export { type ModelSplit, splitGraph, withOutputs } from "./split-graph.js";
export {
  type Dimension,
  decodeValueInfo,
  elementTypes,
  encodeValueInfo,
  type ValueInfo,
  type ValueType,
} from "./value-type.js";
