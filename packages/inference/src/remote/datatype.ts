import type { RawData } from "../worker-engine/messages.js";

/** The protocol's data types that Sluice carries, with the runtime's name and what holds them. Little-endian. */
interface Datatype {
  readonly type: string;
  readonly bytes: number;
  view(buffer: ArrayBuffer): RawData;
  /** From a number or boolean of JSON. */
  set(data: RawData, at: number, value: number): void;
}

function set(data: RawData, at: number, value: number): void {
  (data as Exclude<RawData, BigInt64Array | BigUint64Array>)[at] = value;
}

function setBig(data: RawData, at: number, value: number): void {
  (data as BigInt64Array | BigUint64Array)[at] = BigInt(value);
}

export const datatypes: Readonly<Record<string, Datatype>> = {
  FP32: { type: "float32", bytes: 4, view: (buffer) => new Float32Array(buffer), set },
  FP16: { type: "float16", bytes: 2, view: (buffer) => new Uint16Array(buffer), set },
  UINT8: { type: "uint8", bytes: 1, view: (buffer) => new Uint8Array(buffer), set },
  BOOL: { type: "bool", bytes: 1, view: (buffer) => new Uint8Array(buffer), set },
  INT8: { type: "int8", bytes: 1, view: (buffer) => new Int8Array(buffer), set },
  INT32: { type: "int32", bytes: 4, view: (buffer) => new Int32Array(buffer), set },
  FP64: { type: "float64", bytes: 8, view: (buffer) => new Float64Array(buffer), set },
  INT16: { type: "int16", bytes: 2, view: (buffer) => new Int16Array(buffer), set },
  UINT16: { type: "uint16", bytes: 2, view: (buffer) => new Uint16Array(buffer), set },
  UINT32: { type: "uint32", bytes: 4, view: (buffer) => new Uint32Array(buffer), set },
  INT64: { type: "int64", bytes: 8, view: (buffer) => new BigInt64Array(buffer), set: setBig },
  UINT64: { type: "uint64", bytes: 8, view: (buffer) => new BigUint64Array(buffer), set: setBig },
};

/** The protocol's name of a runtime's type; undefined where it has none. */
export function datatypeOf(type: string): string | undefined {
  return Object.keys(datatypes).find((name) => datatypes[name]!.type === type);
}
