import { type InputSizes, shapeOfOne, shapesByNames } from "../input-sizes.js";
import { ModelError } from "../model-error.js";
import { encodeModel, type OnnxModel, type OnnxValue, requiredInputs } from "./model.js";
import { type Dimension, encodeValueInfo } from "./value-type.js";
import { encodeMessageField } from "./wire-fields.js";

/** GraphProto.input */
const inputField = 11;

/**
 * The model with sizes of its inputs fixed where they take any, so that its inner tensors have one too. The batch axis stays
 * open unless it is named.
 * @throws ModelError as {@link shapeOfOne} and {@link shapesByNames}
 */
export function withInputSizes(model: OnnxModel, sizes: InputSizes): Uint8Array {
  const required = requiredInputs(model.graph);
  const shapes = fixedShapes(required, sizes);
  const inputs = model.graph.inputs.map((value) => {
    const shape = shapes.get(value);
    return shape === undefined ? value : fixed(value, shape);
  });
  return encodeModel({ ...model, graph: { ...model.graph, inputs } });
}

function fixedShapes(inputs: readonly OnnxValue[], sizes: InputSizes): Map<OnnxValue, readonly Dimension[]> {
  if (sizes instanceof Map) {
    const known = inputs.filter(({ type }) => type?.shape);
    const named = known.map(({ name, type }) => ({ name, shape: type!.shape! }));
    const shapes = shapesByNames(named, sizes);
    return new Map(known.map((value, i) => [value, shapes[i]!]));
  }
  const [input] = inputs;
  if (!input?.type) {
    throw new ModelError(
      "unsupported",
      `input "${input?.name}": is no tensor, or the model does not say what it is`,
    );
  }
  const { name, type } = input;
  return new Map([[input, shapeOfOne(name, type.shape, sizes as readonly number[], inputs.length)]]);
}

function fixed(input: OnnxValue, shape: readonly Dimension[]): OnnxValue {
  const info = { name: input.name, type: { ...input.type!, shape } };
  return { ...info, raw: encodeMessageField(inputField, encodeValueInfo(info)) };
}
