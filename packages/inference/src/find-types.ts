import { type OnnxModel, requiredInputs } from "./onnx/model.js";
import { type Dimension, elementTypeName, type ValueType } from "./onnx/value-type.js";
import type { OnnxruntimeOptions } from "./onnxruntime/open-onnx-session.js";
import { probeShapes } from "./onnxruntime/probe-shapes.js";

/** What values of a model are. */
export interface FoundTypes {
  readonly types: ReadonlyMap<string, ValueType>;
  /** Of the values that the model declares to be something else than a run of it gives: what it declares. */
  readonly misdeclared: ReadonlyMap<string, string>;
}

/**
 * Whether a declared type says all: all sizes but the batch axis, and that one the input's. (Exporters give other names to
 * axes that hold the batch times something else.)
 */
function isComplete(type: ValueType | null, batch: Dimension | undefined): type is ValueType {
  const [first, ...others] = type?.shape ?? [];
  if (first === undefined || others.some((size) => typeof size !== "number")) return false;
  return typeof first === "number" ? typeof batch === "number" : first !== null && first === batch;
}

function declaredTypes(model: OnnxModel): Map<string, ValueType> {
  const batch = requiredInputs(model.graph)[0]?.type?.shape?.[0];
  const types = new Map<string, ValueType>();
  for (const { name, type } of [...model.graph.values, ...model.graph.outputs]) {
    if (isComplete(type, batch)) types.set(name, type);
  }
  return types;
}

/** Whether what is declared holds for a run; what the batch does to a value shows in the run alone. */
function agree(declared: ValueType, measured: ValueType): boolean {
  const [a, b] = [declared.shape, measured.shape];
  if (declared.elementType !== measured.elementType || a === null) return false;
  return b === null || (a.length === b.length && a.every((size, axis) => axis === 0 || size === b[axis]));
}

function describe({ elementType, shape }: ValueType): string {
  return `${elementTypeName(elementType)} ${shape?.slice(1).join("x") || "scalar"}`;
}

/**
 * What comes out when zeros are run through a model; where it does not run, what it declares of values that it declares whole.
 * A file may declare what is not so: it is an older one's, or of another size of the input.
 * @param bytes the model, or as much of it as makes the values
 * @param model what it declares
 * @throws ModelError, EngineError where the model does not run and does not declare all of the values
 */
export async function findTypes(
  bytes: Uint8Array,
  model: OnnxModel,
  names: readonly string[],
  options: OnnxruntimeOptions,
): Promise<FoundTypes> {
  const declared = declaredTypes(model);
  const misdeclared = new Map<string, string>();
  const types = new Map(declared);
  if (names.length === 0) return { types, misdeclared };
  try {
    for (const [name, type] of await probeShapes(bytes, names, options)) {
      const said = declared.get(name);
      if (said !== undefined && agree(said, type)) continue;
      if (said !== undefined) misdeclared.set(name, describe(said));
      types.set(name, type);
    }
  } catch (error) {
    if (names.some((name) => !declared.has(name))) throw error;
  }
  return { types, misdeclared };
}
