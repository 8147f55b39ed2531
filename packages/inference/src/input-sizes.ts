import { ModelError } from "./model-error.js";
import type { Dimension } from "./onnx/value-type.js";

/** Sizes that a model's inputs leave open: of its one input without the batch axis, or by names of axes. */
export type InputSizes = readonly number[] | ReadonlyMap<string, number>;

interface Sized {
  readonly name: string;
  readonly shape: readonly Dimension[];
}

/**
 * The shape of a model's one input where it is fixed to a size.
 * @param shape without the batch axis
 * @param declared with it; null where not even the number of axes is known
 * @throws ModelError `unsupported` where the input is of another rank, or fixed to another size
 */
export function shapeOfOne(
  name: string,
  declared: readonly Dimension[] | null,
  shape: readonly number[],
  inputs: number,
): readonly Dimension[] {
  const isCase =
    declared === null ||
    (declared.length === shape.length + 1 &&
      shape.every((size, i) => typeof declared[i + 1] !== "number" || declared[i + 1] === size));
  if (inputs === 1 && isCase) return [declared?.[0] ?? "batch", ...shape];
  const told = `sizes of input "${name}": is [${declared?.map((size) => size ?? "?").join(", ")}], which [${shape.join(", ")}] is no case of`;
  const advice =
    inputs > 1
      ? `; the model has ${inputs} inputs, whose sizes are said by the names of axes, as in seq=128 or ${name}.1=128`
      : declared?.length === shape.length
        ? "; sizes are said without the first axis, the batch"
        : "";
  throw new ModelError("unsupported", `${told}${advice}`);
}

/**
 * The shapes of inputs with axes fixed by their names, in all inputs that have them.
 * @param sizes by the name that the model gives an axis, or as `INPUT.AXIS`, counted from 0 with the batch axis
 * @throws ModelError `unknown-name` for an axis that no input leaves open, with those that there are
 */
export function shapesByNames(
  inputs: readonly Sized[],
  sizes: ReadonlyMap<string, number>,
): readonly (readonly Dimension[])[] {
  const open = new Set<string>();
  const told = new Set<string>();
  const shapes = inputs.map(({ name, shape }) =>
    shape.map((size, axis) => {
      if (typeof size === "number") return size;
      const place = `${name}.${axis}`;
      open.add(size ?? place).add(place);
      told.add(size ?? place);
      return sizes.get(place) ?? sizes.get(size ?? place) ?? size;
    }),
  );
  for (const name of sizes.keys()) {
    if (open.has(name)) continue;
    const there = [...told].map((axis) => `"${axis}"`).join(", ") || "none";
    throw new ModelError("unknown-name", `sizes: no input has an open axis "${name}"; there are: ${there}`);
  }
  return shapes;
}
