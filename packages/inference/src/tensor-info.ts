import {
  bundleSpec,
  type Dtype,
  elementCount,
  type Layout,
  maxElements,
  maxRank,
  type OutputDtype,
  specOfTensor,
  type TensorSpec,
} from "@sluice/tensor";
import { ModelError } from "./model-error.js";
import { type Dimension, elementTypeName, type ValueInfo, type ValueType } from "./onnx/value-type.js";
import { dtypeOfRawType, outputDtypeOfRawType } from "./worker-engine/raw-types.js";

/** An input of a model, or a tensor at which it can be cut. */
export interface TensorInfo<D extends OutputDtype = Dtype> {
  readonly name: string;
  readonly dtype: D;
  /** Without the batch axis; null for an axis whose size the model leaves open. */
  readonly shape: readonly (number | null)[];
  readonly layout: Layout;
  /** Of a bundle: what lies in it. */
  readonly parts?: readonly TensorSpec[];
  /** `dynamic`: takes any number of samples at once; `one`: an axis of size 1; `none`: there is no such axis. */
  readonly batch: "dynamic" | "one" | "none";
}

/** An output of a model, which may be of types that no tensor on the wire has. */
export type OutputInfo = TensorInfo<OutputDtype>;

/**
 * Describes a tensor by its shape with the batch axis. The first axis is taken for the batch axis where its size is
 * open, and where it is 1 and there are others.
 * @param imageLayout what three axes beside it are: an image or a feature map, whose channels ONNX puts first
 */
export function describeTensor<D extends OutputDtype>(
  name: string,
  dtype: D,
  dims: readonly Dimension[],
  imageLayout: Layout = "chw",
): TensorInfo<D> {
  const first = dims[0];
  const open = first !== undefined && typeof first !== "number";
  const batch = open ? "dynamic" : first === 1 && dims.length > 1 ? "one" : "none";
  const shape = (batch === "none" ? dims : dims.slice(1)).map((size) =>
    typeof size === "number" ? size : null,
  );
  return { name, dtype, shape, layout: shape.length === 3 ? imageLayout : "any", batch };
}

/** @throws ModelError `missing-type` without a type or number of axes, `unsupported` for a type that is not in `dtypes` */
function describe<D extends OutputDtype>(
  { name, type }: ValueInfo,
  dtypes: Readonly<Record<string, D>>,
  advice = "",
): TensorInfo<D> {
  if (type === null) {
    throw new ModelError(
      "missing-type",
      `value "${name}": is no tensor, or the model does not say what it is`,
    );
  }
  if (type.shape === null) {
    const message = `value "${name}": the model does not say what shape it has${advice}`;
    throw new ModelError("missing-type", message);
  }
  const dtype = dtypes[elementTypeName(type.elementType)];
  if (dtype === undefined) {
    const message = `value "${name}": ${elementTypeName(type.elementType)} is not supported`;
    throw new ModelError("unsupported", message);
  }
  return describeTensor(name, dtype, type.shape);
}

/**
 * Describes an input, or a tensor at which a model can be cut.
 * @throws ModelError `missing-type` without a type or number of axes, `unsupported` for a type that Sluice has not
 */
export function describeValue(value: ValueInfo): TensorInfo {
  return describe(value, dtypeOfRawType, openSizesAdvice([3, 224, 224]));
}

/** Describes an output. @throws ModelError as {@link describeValue} */
export function describeOutputValue(value: ValueInfo): OutputInfo {
  return describe(value, outputDtypeOfRawType);
}

/** Whether values of the type can be sent as they are. */
export function isSendable({ elementType }: ValueType): boolean {
  const name = elementTypeName(elementType);
  // It would be rounded.
  return name !== "float64" && dtypeOfRawType[name] !== undefined;
}

/** The model's input with the layout `hwc` where it is an image with three channels in the last axis. */
export function withImageLayout(info: TensorInfo): TensorInfo {
  const [first, second, third] = info.shape;
  const isLast = info.shape.length === 3 && third === 3 && first !== 1 && first !== 3 && second !== 3;
  return isLast ? { ...info, layout: "hwc" } : info;
}

/** Whether it takes an image: three axes, one of them of one or three channels. */
export function isImage({ shape, layout }: TensorInfo): boolean {
  const channels = layout === "hwc" ? shape[2] : shape[0];
  return shape.length === 3 && (channels === 1 || channels === 3);
}

/** How a user fixes sizes that an input leaves open. @param shape without the batch axis */
export function openSizesAdvice(shape: readonly (number | string | null)[]): string {
  const usual = shape.length > 2 ? 224 : 128;
  const sizes = shape.map((size) => (typeof size === "number" ? size : usual));
  return `; sizes stand behind the path of a model, as in model.onnx:${sizes.join("x")}`;
}

/** The same for one axis of one of several inputs. @param axis without the batch axis */
function openAxisAdvice({ name, batch }: TensorInfo, axis: number): string {
  return `; sizes stand behind the path of a model, by the axis' name or place, as in model.onnx:${name}.${axis + (batch === "none" ? 0 : 1)}=128`;
}

/** What several tensors of a frame are as one, which lie one behind the other in it. @throws ModelError where a size is open */
export function bundleInfo(name: string, parts: readonly TensorInfo[]): TensorInfo {
  const [first, ...others] = parts;
  if (others.length === 0) return first!;
  const specs = parts.map((info) => specOf(info, true));
  return { name, ...bundleSpec(specs), batch: "one" };
}

/** The spec, or why a tensor of it is too large to be sent. */
export function withinLimits(spec: TensorSpec): TensorSpec | string {
  const { shape } = spec;
  if (shape.length > maxRank) return `has ${shape.length} axes, at most ${maxRank} can be sent`;
  const elements = elementCount(shape);
  return elements > maxElements ? `has ${elements} elements, at most ${maxElements} can be sent` : spec;
}

/**
 * The spec of one sample.
 * @param isOneOfSeveral sizes of one of several inputs are fixed by the names or the places of their axes
 * @throws ModelError `unsupported` where the model leaves an axis open
 */
export function specOf(info: TensorInfo, isOneOfSeveral = false): TensorSpec {
  const shape = info.shape.map((size, axis) => {
    if (size === null)
      throw new ModelError(
        "unsupported",
        `value "${info.name}": the size of axis ${axis}${info.batch === "none" ? "" : " beside the batch"} is open${isOneOfSeveral ? openAxisAdvice(info, axis) : openSizesAdvice(info.shape)}`,
      );
    return size;
  });
  return specOfTensor({ ...info, shape });
}
