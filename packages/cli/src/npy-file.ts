import { type OutputDtype, type OutputTensor, tensorBytes } from "@sluice/tensor";

const descriptions: Readonly<Record<OutputDtype, string>> = {
  ...{ float32: "<f4", float16: "<f2", uint8: "|u1", int8: "|i1", int32: "<i4" },
  ...{ float64: "<f8", int16: "<i2", uint16: "<u2", uint32: "<u4", int64: "<i8", uint64: "<u8" },
};

/** A tensor as a file of NumPy (`.npy`, version 1.0): `numpy.load` reads it. */
export function encodeNpy(tensor: OutputTensor): Uint8Array {
  const { dtype, shape } = tensor;
  const axes = shape.map((size) => `${size},`).join(" ");
  const text = `{'descr': '${descriptions[dtype]}', 'fortran_order': False, 'shape': (${axes}), }`;
  const prefix = [0x93, ...Buffer.from("NUMPY"), 1, 0];
  // The elements begin at a multiple of 64, behind a line's end.
  const headerBytes = Math.ceil((prefix.length + 2 + text.length + 1) / 64) * 64 - prefix.length - 2;
  const header = Buffer.from(`${text.padEnd(headerBytes - 1)}\n`, "latin1");
  const length = [headerBytes & 0xff, headerBytes >>> 8];
  return Buffer.concat([Uint8Array.from([...prefix, ...length]), header, tensorBytes(tensor)]);
}
