import { createHash } from "node:crypto";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describeCuts, describeIllegalCuts, workBefore } from "./graph/describe-cuts.js";
import { type ExaminedGraph, examineGraph, splitModel } from "./list-cuts.js";
import { ModelError } from "./model-error.js";
import type { Network } from "./network.js";
import { hasExternalWeights } from "./onnx/external-weights.js";
import { type OnnxModel, parseModel, requiredInputs } from "./onnx/model.js";
import { loadOnnxruntime } from "./onnxruntime/onnxruntime-engine.js";
import { describeOutputValue, describeValue, type OutputInfo } from "./tensor-info.js";

function checkWeights(model: OnnxModel): void {
  if (!hasExternalWeights(model)) return;
  const name = model.graph.initializers.find(({ external }) => external)?.name;
  throw new ModelError(
    "unsupported",
    `weights${name === undefined ? " of a node" : ` "${name}"`} lie in another file; load the model by its path, or save it as one file`,
  );
}

/**
 * An ONNX model as a network, run by onnxruntime.
 * @throws ModelError `not-onnx`, `missing-type`, `too-large`, `unsupported` for weights in other files
 */
export function createOnnxNetwork(bytes: Uint8Array): Network {
  const model = parseModel(bytes);
  checkWeights(model);
  let hash: Uint8Array | undefined;
  let outputs: readonly OutputInfo[] | undefined;
  let examined: Promise<ExaminedGraph> | undefined;
  // Large models take seconds.
  const examine = () => {
    examined ??= examineGraph(bytes);
    return examined;
  };
  return {
    format: "onnx",
    engine: "onnxruntime",
    byteLength: bytes.length,
    get hash() {
      hash ??= new Uint8Array(createHash("sha256").update(bytes).digest());
      return hash;
    },
    inputs: requiredInputs(model.graph).map(describeValue),
    // A model may leave their shapes open and still be run.
    get outputs() {
      outputs ??= model.graph.outputs.map(describeOutputValue);
      return outputs;
    },
    measureOutputs: async () => (await examine()).outputs(),
    listCuts: async () => describeCuts(await examine()),
    listIllegalCuts: async () => describeIllegalCuts(await examine()),
    measureWork: async (cut) => workBefore(await examine(), cut),
    async split(tensorName) {
      const known = await examined?.catch(() => undefined);
      const halves = await splitModel(bytes, tensorName, {}, known?.typeOf);
      const [head, tail] = [createOnnxNetwork(halves.head), createOnnxNetwork(halves.tail)];
      return { cut: describeValue(halves.cut), crossing: tail.inputs, head, tail };
    },
    load: (options = {}) => loadOnnxruntime(bytes, options),
    async save(directory, name) {
      const path = join(directory, `${name}.onnx`);
      await writeFile(path, bytes);
      return [path];
    },
  };
}
