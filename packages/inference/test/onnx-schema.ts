import protobuf from "protobufjs";

/** The part of onnx.proto (github.com/onnx/onnx, onnx/onnx.proto) that the tests' models are written with. */
const schema = `
syntax = "proto2";
package onnx;
message AttributeProto {
  optional string name = 1; optional float f = 2; optional int64 i = 3; optional bytes s = 4;
  optional TensorProto t = 5; optional GraphProto g = 6; repeated float floats = 7; repeated int64 ints = 8;
  optional int32 type = 20;
}
message NodeProto {
  repeated string input = 1; repeated string output = 2; optional string name = 3; optional string op_type = 4;
  repeated AttributeProto attribute = 5; optional string doc_string = 6; optional string domain = 7;
}
message StringStringEntryProto { optional string key = 1; optional string value = 2; }
message TensorAnnotation {
  optional string tensor_name = 1; repeated StringStringEntryProto quant_parameter_tensor_names = 2;
}
message TensorProto {
  repeated int64 dims = 1; optional int32 data_type = 2; repeated float float_data = 4 [packed = true];
  repeated int64 int64_data = 7 [packed = true]; optional string name = 8; optional bytes raw_data = 9;
  repeated StringStringEntryProto external_data = 13; optional int32 data_location = 14;
}
message Dimension { optional int64 dim_value = 1; optional string dim_param = 2; }
message TensorShapeProto { repeated Dimension dim = 1; }
message Tensor { optional int32 elem_type = 1; optional TensorShapeProto shape = 2; }
message TypeProto { optional Tensor tensor_type = 1; }
message ValueInfoProto { optional string name = 1; optional TypeProto type = 2; optional string doc_string = 3; }
message GraphProto {
  repeated NodeProto node = 1; optional string name = 2; repeated TensorProto initializer = 5;
  optional string doc_string = 10; repeated ValueInfoProto input = 11; repeated ValueInfoProto output = 12;
  repeated ValueInfoProto value_info = 13; repeated TensorAnnotation quantization_annotation = 14;
}
message OperatorSetIdProto { optional string domain = 1; optional int64 version = 2; }
message FunctionProto { optional string name = 1; }
message TrainingInfoProto { optional GraphProto initialization = 1; }
message ModelProto {
  optional int64 ir_version = 1; optional string producer_name = 2; optional GraphProto graph = 7;
  repeated OperatorSetIdProto opset_import = 8; repeated StringStringEntryProto metadata_props = 14;
  repeated TrainingInfoProto training_info = 20; repeated FunctionProto functions = 25;
  optional string unheard_of = 4000;
}
`;

const modelType = protobuf.parse(schema, { keepCase: true }).root.lookupType("onnx.ModelProto");

export interface AttributeMessage {
  name: string;
  type: number;
  i?: number;
  ints?: number[];
  t?: TensorMessage;
  g?: GraphMessage;
}
export interface NodeMessage {
  op_type: string;
  input: string[];
  output: string[];
  name?: string;
  attribute?: AttributeMessage[];
}
export interface TensorMessage {
  name?: string;
  dims: number[];
  data_type: number;
  float_data?: number[];
  int64_data?: number[];
  raw_data?: Uint8Array;
  external_data?: { key: string; value: string }[];
  data_location?: number;
}
export interface ValueMessage {
  name: string;
  type?: {
    tensor_type: {
      elem_type: number;
      shape?: { dim: ({ dim_value: number } | { dim_param: string } | object)[] };
    };
  };
}
export interface GraphMessage {
  name: string;
  node: NodeMessage[];
  initializer: TensorMessage[];
  input: ValueMessage[];
  output: ValueMessage[];
  value_info?: ValueMessage[];
  quantization_annotation?: {
    tensor_name: string;
    quant_parameter_tensor_names: { key: string; value: string }[];
  }[];
}
export interface ModelMessage {
  ir_version: number;
  producer_name?: string;
  graph: GraphMessage;
  opset_import: { domain?: string; version: number }[];
  metadata_props?: { key: string; value: string }[];
  training_info?: { initialization?: GraphMessage }[];
  functions?: { name: string }[];
  unheard_of?: string;
}

export function encodeMessage(model: ModelMessage): Uint8Array {
  return modelType.encode(modelType.fromObject(model)).finish();
}

/** Decodes with protobufjs' own reflection, so that the code under test is not checked with itself. */
export function decodeMessage(bytes: Uint8Array): ModelMessage {
  return modelType.toObject(modelType.decode(bytes), { longs: Number, arrays: true }) as ModelMessage;
}

/** A value of float32 with the sizes given; text for an axis of unknown size. */
export function floatValue(name: string, dims: readonly (number | string)[]): ValueMessage {
  const dim = dims.map((size) => (typeof size === "number" ? { dim_value: size } : { dim_param: size }));
  return { name, type: { tensor_type: { elem_type: 1, shape: { dim } } } };
}
