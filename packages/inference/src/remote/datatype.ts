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
  data[at] = value;
}

export const datatypes: Readonly<Record<string, Datatype>> = {
  FP32: { type: "float32", bytes: 4, view: (buffer) => new Float32Array(buffer), set },
  FP16: { type: "float16", bytes: 2, view: (buffer) => new Uint16Array(buffer), set },
  UINT8: { type: "uint8", bytes: 1, view: (buffer) => new Uint8Array(buffer), set },
  BOOL: { type: "bool", bytes: 1, view: (buffer) => new Uint8Array(buffer), set },
  INT8: { type: "int8", bytes: 1, view: (buffer) => new Int8Array(buffer), set },
  INT32: { type: "int32", bytes: 4, view: (buffer) => new Int32Array(buffer), set },
  INT64: {
    ...{ type: "int64", bytes: 8, view: (buffer: ArrayBuffer) => new BigInt64Array(buffer) },
    set: (data, at, value) => {
      (data as BigInt64Array)[at] = BigInt(value);
    },
  },
};

/** The protocol's name of a runtime's type; undefined where it has none. */
export function datatypeOf(type: string): string | undefined {
  return Object.keys(datatypes).find((name) => datatypes[name]!.type === type);
}
