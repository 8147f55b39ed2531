import protobuf from "protobufjs/minimal.js";
import { fieldMessage, fieldText, joinFields, readFields } from "./wire-fields.js";

/** TensorProto.DataType (onnx.proto) by the names that onnxruntime has for them. */
export const elementTypes = {
  float32: 1,
  uint8: 2,
  int8: 3,
  uint16: 4,
  int16: 5,
  int32: 6,
  int64: 7,
  string: 8,
  bool: 9,
  float16: 10,
  float64: 11,
  uint32: 12,
  uint64: 13,
  bfloat16: 16,
} as const;

/** What people call a TensorProto.DataType; those without a name here by their number. */
export function elementTypeName(elementType: number): string {
  const found = Object.entries(elementTypes).find(([, number]) => number === elementType);
  return found?.[0] ?? `ONNX element type ${elementType}`;
}

/** Size of an axis: a number, a name (the same name is the same size) or null where the model leaves it open. */
export type Dimension = number | string | null;

/** TypeProto.Tensor: what a value in a graph is. */
export interface ValueType {
  /** TensorProto.DataType. */
  readonly elementType: number;
  /** With the batch axis; null where not even the number of axes is known. */
  readonly shape: readonly Dimension[] | null;
}

/** ValueInfoProto. */
export interface ValueInfo {
  readonly name: string;
  /** null: no type given, or not a tensor (a sequence, a map). */
  readonly type: ValueType | null;
}

function parseDimension(bytes: Uint8Array): Dimension {
  let dimension: Dimension = null;
  for (const field of readFields(bytes, "Dimension")) {
    if (field.number === 1) dimension = field.value;
    else if (field.number === 2) dimension = fieldText(field, "dim_param") || null;
  }
  // A negative size is how some exporters say "unknown".
  return typeof dimension === "number" && dimension < 0 ? null : dimension;
}

function parseTensorType(bytes: Uint8Array): ValueType {
  let elementType = 0;
  let shape: Dimension[] | null = null;
  for (const field of readFields(bytes, "TypeProto.Tensor")) {
    if (field.number === 1) elementType = field.value;
    else if (field.number === 2) {
      shape = [];
      for (const dim of readFields(fieldMessage(field, "shape"), "TensorShapeProto")) {
        if (dim.number === 1) shape.push(parseDimension(fieldMessage(dim, "dim")));
      }
    }
  }
  return { elementType, shape };
}

/** Decodes a ValueInfoProto. @throws ModelError `not-onnx` */
export function decodeValueInfo(bytes: Uint8Array): ValueInfo {
  let name = "";
  let type: ValueType | null = null;
  for (const field of readFields(bytes, "ValueInfoProto")) {
    if (field.number === 1) name = fieldText(field, "ValueInfoProto.name");
    else if (field.number === 2) {
      for (const kind of readFields(fieldMessage(field, "type"), "TypeProto")) {
        if (kind.number === 1) type = parseTensorType(fieldMessage(kind, "tensor_type"));
      }
    }
  }
  return { name, type };
}

function encodeShape(shape: readonly Dimension[]): Uint8Array {
  return joinFields(
    shape.map((size) => {
      const dimension = protobuf.Writer.create();
      if (typeof size === "number") dimension.uint32(8).int64(size);
      else if (size !== null) dimension.uint32(18).string(size);
      return protobuf.Writer.create().uint32(10).bytes(dimension.finish()).finish();
    }),
  );
}

/** Encodes a ValueInfoProto. */
export function encodeValueInfo(info: ValueInfo): Uint8Array {
  const writer = protobuf.Writer.create().uint32(10).string(info.name);
  if (info.type !== null) {
    const tensor = protobuf.Writer.create().uint32(8).int32(info.type.elementType);
    if (info.type.shape !== null) tensor.uint32(18).bytes(encodeShape(info.type.shape));
    const type = protobuf.Writer.create().uint32(10).bytes(tensor.finish());
    writer.uint32(18).bytes(type.finish());
  }
  return writer.finish();
}
