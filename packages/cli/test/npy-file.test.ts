import { Buffer } from "node:buffer";
import { createTensor, type OutputData, type OutputDtype, type OutputTensor } from "@sluice/tensor";
import t from "tap";
import { encodeNpy } from "#cli/npy-file.js";

/** The header as a reader of the format takes it apart, and what stands behind it. */
function read(bytes: Uint8Array) {
  const buffer = Buffer.from(bytes);
  const headerBytes = buffer.readUInt16LE(8);
  return {
    magic: buffer.subarray(0, 8).toString("hex"),
    header: buffer.subarray(10, 10 + headerBytes).toString("latin1"),
    dataAt: 10 + headerBytes,
    data: buffer.subarray(10 + headerBytes).toString("hex"),
  };
}

function output<D extends OutputDtype>(
  dtype: D,
  shape: readonly number[],
  data: OutputData[D],
): OutputTensor {
  return { dtype, shape, layout: "any", data };
}

t.test("tensors as files of NumPy", async (t) => {
  for (const [tensor, description, shape, data] of [
    [createTensor("float32", [1, 2], Float32Array.of(1, -2)), "<f4", "(1, 2,)", "0000803f000000c0"],
    [createTensor("float16", [1], Uint16Array.of(0x3c00)), "<f2", "(1,)", "003c"],
    [createTensor("uint8", [3], Uint8Array.of(1, 2, 255)), "|u1", "(3,)", "0102ff"],
    [createTensor("int8", [1], Int8Array.of(-1)), "|i1", "(1,)", "ff"],
    [createTensor("int32", [], Int32Array.of(-2)), "<i4", "()", "feffffff"],
    [output("int64", [1], BigInt64Array.of(-(2n ** 40n))), "<i8", "(1,)", "0000000000ffffff"],
    [output("float64", [0, 4], new Float64Array()), "<f8", "(0, 4,)", ""],
  ] as const) {
    const file = read(encodeNpy(tensor));
    t.equal(file.magic, "934e554d50590100");
    t.equal(file.dataAt % 64, 0);
    t.match(file.header, /^\{.*\} *\n$/);
    t.ok(
      file.header.startsWith(`{'descr': '${description}', 'fortran_order': False, 'shape': ${shape}, }`),
      file.header,
    );
    t.equal(file.data, data);
  }
});
