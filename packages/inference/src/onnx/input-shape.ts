import { ModelError } from "../model-error.js";
import { encodeModel, type OnnxModel, type OnnxValue, requiredInputs } from "./model.js";
import { type Dimension, encodeValueInfo } from "./value-type.js";
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
    declared === null ||
    (declared?.length === shape.length + 1 &&
      shape.every((size, i) => typeof declared[i + 1] !== "number" || declared[i + 1] === size));
  if (!input?.type || !fits || others.length > 0) {
    throw new ModelError(
      "unsupported",
      `input "${input?.name}": is [${declared?.join(", ")}], which [${shape.join(", ")}] is no case of`,
    );
  }
  const inputs = model.graph.inputs.map((value) =>
    value === input ? fixed(input, [declared?.[0] ?? "batch", ...shape]) : value,
  );
  return encodeModel({ ...model, graph: { ...model.graph, inputs } });
}

/**
 * The model with axes of its inputs fixed by their names, in all inputs that have them.
 * @param sizes by the name that the model gives an axis, or as `INPUT.AXIS`, counted from 0 with the batch axis
 * @throws ModelError `unknown-name` for an axis that no input leaves open, with those that there are
 */
export function withAxisSizes(model: OnnxModel, sizes: ReadonlyMap<string, number>): Uint8Array {
  const required = new Set(requiredInputs(model.graph));
  const open = new Set<string>();
  const inputs = model.graph.inputs.map((value) => {
    const declared = required.has(value) ? value.type?.shape : undefined;
    if (!declared) return value;
    const shape = declared.map((size, axis) => {
      if (typeof size === "number") return size;
      const place = `${value.name}.${axis}`;
      open.add(size ?? place);
      return sizes.get(place) ?? sizes.get(size ?? place) ?? size;
    });
    for (const axis of declared.keys())
      if (sizes.has(`${value.name}.${axis}`)) open.add(`${value.name}.${axis}`);
    return fixed(value, shape);
  });
  for (const name of sizes.keys()) {
    if (open.has(name)) continue;
    const there = [...open].map((axis) => `"${axis}"`).join(", ") || "none";
    throw new ModelError("unknown-name", `sizes: no input has an open axis "${name}"; there are: ${there}`);
  }
  return encodeModel({ ...model, graph: { ...model.graph, inputs } });
}

function fixed(input: OnnxValue, shape: readonly Dimension[]): OnnxValue {
  const info = { name: input.name, type: { ...input.type!, shape } };
  return { ...info, raw: encodeMessageField(inputField, encodeValueInfo(info)) };
}
