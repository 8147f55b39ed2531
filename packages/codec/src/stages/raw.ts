import { bytesPerElement, type Tensor, type UnitRange } from "@sluice/tensor";
import { createScratch } from "../scratch.js";
import type { Stage } from "../stage.js";
import type { StageDefinition } from "../stage-definition.js";

const machineIsLittleEndian = new Uint8Array(Uint16Array.of(1).buffer)[0] === 1;

function rangeBytes(tensor: Tensor, { first, end }: UnitRange): Uint8Array {
  if (tensor.data instanceof Uint8Array) return tensor.data.subarray(first, end);
  const size = tensor.data.BYTES_PER_ELEMENT;
  return new Uint8Array(tensor.data.buffer, tensor.data.byteOffset + first * size, (end - first) * size);
}

/** Reverses the bytes of every element in place. */
export function swapElementBytes(bytes: Uint8Array, size: number): void {
  for (let i = 0; i < bytes.length; i += size) bytes.subarray(i, i + size).reverse();
}

/** Elements of any dtype as they are, little-endian (spec 6.1). */
export function raw(littleEndian: boolean = machineIsLittleEndian): Stage<"tensor", "bytes"> {
  return {
    ...{ name: "raw", text: "raw", input: "tensor", output: "bytes" },
    plan({ dtype }) {
      const size = bytesPerElement[dtype];
      const scratch = createScratch((length) => new Uint8Array(length));
      return {
        output: {},
        givesViews: littleEndian,
        fixedBytes: (elements) => elements * size,
        encode(tensor, { elements }) {
          const bytes = rangeBytes(tensor, elements);
          if (littleEndian) return bytes;
          const swapped = scratch(bytes.length);
          swapped.set(bytes);
          swapElementBytes(swapped, size);
          return swapped;
        },
        decode(payload, tensor, { elements }) {
          const target = rangeBytes(tensor, elements);
          target.set(payload);
          if (!littleEndian) swapElementBytes(target, size);
          return undefined;
        },
      };
    },
  };
}

export const rawDefinition: StageDefinition = { name: "raw", parameters: [], read: () => raw() };
