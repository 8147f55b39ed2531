import { ModelError } from "../model-error.js";
import { encodeModel, type OnnxModel, type OnnxValue, requiredInputs } from "./model.js";
import { encodeValueInfo } from "./value-type.js";
import { encodeMessageField } from "./wire-fields.js";

/** GraphProto.input */
const inputField = 11;

/**
 * The model with its one input fixed to a size where it takes any, so that its inner tensors have one too. The batch axis
 * stays open.
 * @param shape without the batch axis
 * @throws ModelError `unsupported` where the input is of another rank, or fixed to another size
 */
export function withInputShape(model: OnnxModel, shape: readonly number[]): Uint8Array {
  const [input, ...others] = requiredInputs(model.graph);
  const declared = input?.type?.shape;
  const fits =
    declared?.length === shape.length + 1 &&
    shape.every((size, i) => typeof declared[i + 1] !== "number" || declared[i + 1] === size);
  if (!input?.type || !fits || others.length > 0) {
    throw new ModelError(
      "unsupported",
      `input "${input?.name}": is [${declared?.join(", ")}], which [${shape.join(", ")}] is no case of`,
    );
  }
  const info = { name: input.name, type: { ...input.type, shape: [declared![0]!, ...shape] } };
  const fixed: OnnxValue = { ...info, raw: encodeMessageField(inputField, encodeValueInfo(info)) };
  const inputs = model.graph.inputs.map((value) => (value === input ? fixed : value));
  return encodeModel({ ...model, graph: { ...model.graph, inputs } });
}
