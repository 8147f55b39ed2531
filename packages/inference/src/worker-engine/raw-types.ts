import type { Dtype, OutputDtype } from "@sluice/tensor";
import type { RawData } from "./messages.js";

/**
 * A runtime's type -> what Sluice holds its inputs and cuts as: whole numbers of more than eight bits as int32, bool as uint8, and
 * float64, which can be an input but no cut, as float32.
 */
export const dtypeOfRawType: Readonly<Record<string, Dtype>> = {
  float32: "float32",
  float16: "float16",
  uint8: "uint8",
  bool: "uint8",
  int8: "int8",
  int32: "int32",
  int16: "int32",
  uint16: "int32",
  uint32: "int32",
  int64: "int32",
  uint64: "int32",
  float64: "float32",
};

/** A runtime's type -> what an output of it is; bool is uint8. */
export const outputDtypeOfRawType: Readonly<Record<string, OutputDtype>> = {
  ...{ float32: "float32", float16: "float16", uint8: "uint8", bool: "uint8", int8: "int8", int32: "int32" },
  ...{ int16: "int16", uint16: "uint16", uint32: "uint32", int64: "int64", uint64: "uint64" },
  float64: "float64",
};

const zeros: Readonly<Record<OutputDtype, (count: number) => RawData>> = {
  float32: (count) => new Float32Array(count),
  float16: (count) => new Uint16Array(count),
  uint8: (count) => new Uint8Array(count),
  int8: (count) => new Int8Array(count),
  int32: (count) => new Int32Array(count),
  int16: (count) => new Int16Array(count),
  uint16: (count) => new Uint16Array(count),
  uint32: (count) => new Uint32Array(count),
  int64: (count) => new BigInt64Array(count),
  uint64: (count) => new BigUint64Array(count),
  float64: (count) => new Float64Array(count),
};

/** Zeros of a runtime's type; `undefined` where Sluice has not the type. */
export function zerosOf(type: string, count: number): RawData | undefined {
  const dtype = outputDtypeOfRawType[type];
  return dtype === undefined ? undefined : zeros[dtype](count);
}
