import { bytesPerElement, type Tensor, type TensorSpec } from "@sluice/tensor";
import type { ElementCoding } from "./element-coding.js";

const machineIsLittleEndian = new Uint8Array(Uint16Array.of(1).buffer)[0] === 1;

function rangeBytes(tensor: Tensor, first: number, end: number): Uint8Array {
  const size = tensor.data.BYTES_PER_ELEMENT;
  return new Uint8Array(tensor.data.buffer, tensor.data.byteOffset + first * size, (end - first) * size);
}

/** Reverses the bytes of every element in place. */
export function swapElementBytes(bytes: Uint8Array, size: number): void {
  for (let i = 0; i < bytes.length; i += size) bytes.subarray(i, i + size).reverse();
}

/** Elements of any dtype as they are, little-endian (spec 6.1). */
export function createRawCoding(
  spec: TensorSpec,
  littleEndian: boolean = machineIsLittleEndian,
): ElementCoding {
  const size = bytesPerElement[spec.dtype];
  return {
    payloadBytes: (elements) => elements * size,
    measure: () => undefined,
    encode(tensor, first, end, payload) {
      payload.set(rangeBytes(tensor, first, end));
      if (!littleEndian) swapElementBytes(payload, size);
    },
    decode(payload, tensor, first, end) {
      const target = rangeBytes(tensor, first, end);
      target.set(payload);
      if (!littleEndian) swapElementBytes(target, size);
      return undefined;
    },
  };
}
