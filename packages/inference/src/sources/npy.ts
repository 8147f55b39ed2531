import {
  createTensor,
  type Dtype,
  decodeFloat16,
  elementCount,
  encodeFloat16,
  type Tensor,
} from "@sluice/tensor";
import { ModelError } from "../model-error.js";
import { specOf, type TensorInfo } from "../tensor-info.js";

/** An array of NumPy: what a `.npy` file holds (numpy.lib.format, versions 1 to 3). */
export interface NpyArray {
  /** NumPy's own name of the type, without the order of bytes: `f4`, `i8`, `b1`. */
  readonly kind: string;
  readonly shape: readonly number[];
  /** In row-major order. */
  readonly numbers: ArrayLike<number | bigint>;
}

type Reader = (view: DataView, at: number) => number | bigint;

const readers: Readonly<Record<string, readonly [bytes: number, read: Reader]>> = {
  f4: [4, (view, at) => view.getFloat32(at, true)],
  f8: [8, (view, at) => view.getFloat64(at, true)],
  f2: [2, (view, at) => decodeFloat16(view.getUint16(at, true))],
  u1: [1, (view, at) => view.getUint8(at)],
  i1: [1, (view, at) => view.getInt8(at)],
  b1: [1, (view, at) => (view.getUint8(at) === 0 ? 0 : 1)],
  u2: [2, (view, at) => view.getUint16(at, true)],
  i2: [2, (view, at) => view.getInt16(at, true)],
  u4: [4, (view, at) => view.getUint32(at, true)],
  i4: [4, (view, at) => view.getInt32(at, true)],
  u8: [8, (view, at) => view.getBigUint64(at, true)],
  i8: [8, (view, at) => view.getBigInt64(at, true)],
};

const magic = "\u0093NUMPY";

/** @param what names the file in errors @throws ModelError `unreadable`, `unsupported` for what is not a plain array of numbers */
export function decodeNpy(file: Uint8Array, what: string): NpyArray {
  const fail = (message: string): never => {
    throw new ModelError("unreadable", `${what}: ${message}`);
  };
  const text = (from: number, to: number) => String.fromCharCode(...file.subarray(from, to));
  if (text(0, 6) !== magic || file.length < 12) fail("is no .npy file of NumPy");
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength);
  const start = file[6]! >= 2 ? 12 : 10;
  const headerBytes = file[6]! >= 2 ? view.getUint32(8, true) : view.getUint16(8, true);
  if (headerBytes > 65_536 || start + headerBytes > file.length) fail("its header is cut short");
  const header = text(start, start + headerBytes);
  const [, order, kind] = /'descr':\s*'([<>|=])(\w+)'/.exec(header) ?? [];
  const sizes = /'shape':\s*\(([\d,\s]*)\)/.exec(header)?.[1];
  if (kind === undefined || sizes === undefined) fail("its elements are not plain numbers");
  const [bytes, read] = readers[kind!] ?? fail(`elements of NumPy's type ${kind} are not supported`);
  if (order === ">" && bytes > 1) fail("is big-endian: save array.astype(array.dtype.newbyteorder('<'))");
  if (/'fortran_order':\s*True/.test(header)) fail("is in Fortran's order: save np.ascontiguousarray(array)");
  const shape = sizes!
    .split(",")
    .filter((size) => size.trim() !== "")
    .map(Number);
  const count = elementCount(shape);
  const from = start + headerBytes;
  if (file.length - from < count * bytes)
    fail(`${file.length - from} bytes of data, [${shape.join(", ")}] needs ${count * bytes}`);
  return {
    kind: kind!,
    shape,
    numbers: Array.from({ length: count }, (_, i) => read(view, from + i * bytes)),
  };
}

/** The whole numbers that a type has; undefined for those of floats. */
const ranges: Readonly<Record<Dtype, readonly [number, number] | undefined>> = {
  ...{ float32: undefined, float16: undefined, uint8: [0, 255], int8: [-128, 127] },
  int32: [-(2 ** 31), 2 ** 31 - 1],
};

/**
 * An array as tensors for an input: one of its shape, or as many as its first axis has.
 * @throws ModelError `unsupported` for another shape, or a number that the input's type has not
 */
export function tensorsOfArray({ shape, numbers }: NpyArray, input: TensorInfo, what: string): Tensor[] {
  const spec = specOf(input);
  const rank = spec.shape.length;
  const beside = shape.length - rank;
  const fits =
    (beside === 0 || beside === 1) && spec.shape.every((size, axis) => size === shape[axis + beside]);
  if (!fits) {
    const wanted = spec.shape.join(", ");
    throw new ModelError(
      "unsupported",
      `${what}: has shape [${shape.join(", ")}], input "${input.name}" takes [${wanted}], or several as [N${rank === 0 ? "" : `, ${wanted}`}]`,
    );
  }
  const count = elementCount(spec.shape);
  const range = ranges[spec.dtype];
  return Array.from({ length: beside === 0 ? 1 : shape[0]! }, (_, n) => {
    const tensor = createTensor(spec.dtype, spec.shape, undefined, spec.layout);
    for (let i = 0; i < count; i++) {
      const value = Number(numbers[n * count + i]);
      if (range && !(Number.isInteger(value) && value >= range[0] && value <= range[1])) {
        throw new ModelError(
          "unsupported",
          `${what}: ${value} is no ${spec.dtype}, which input "${input.name}" takes`,
        );
      }
      tensor.data[i] = spec.dtype === "float16" ? encodeFloat16(value) : value;
    }
    return tensor;
  });
}
