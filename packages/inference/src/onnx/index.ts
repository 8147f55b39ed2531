/** Reading and editing ONNX models; free of Node, for pages as well. */
export { ModelError, type ModelErrorKind } from "../model-error.js";
export { analyseDataFlow, type DataFlow } from "./data-flow.js";
export { type CutPosition, findCuts } from "./find-cuts.js";
export { encodeModel, type OnnxGraph, type OnnxModel, parseModel, requiredInputs } from "./model.js";
export { checkCut, type ModelSplit, splitGraph, withOutputs } from "./split-graph.js";
export {
  type Dimension,
  decodeValueInfo,
  elementTypes,
  encodeValueInfo,
  type ValueInfo,
  type ValueType,
} from "./value-type.js";
