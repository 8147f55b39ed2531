import { TensorError } from "@sluice/tensor";
import { createSymbolScratch } from "../scratch.js";
import type { Stage } from "../stage.js";
import type { StageDefinition } from "../stage-definition.js";

const name = "integers";
const levels = 256;

/** The elements of an uint8 or int8 tensor as symbols, without loss (spec 6.9). */
export function integers(): Stage<"tensor", "symbols"> {
  return {
    ...{ name, text: name, input: "tensor", output: "symbols" },
    plan({ dtype }) {
      if (dtype !== "uint8" && dtype !== "int8") {
        throw new TensorError("codec.integers", `takes uint8 and int8, the tensor is ${dtype}; use quantize`);
      }
      const lowest = dtype === "int8" ? -128 : 0;
      const scratch = createSymbolScratch(levels);
      return {
        output: { levels },
        encode({ data }, { elements: { first, end } }) {
          const symbols = scratch(end - first);
          for (let i = first; i < end; i++) symbols[i - first] = data[i]! - lowest;
          return symbols;
        },
        decode(symbols, { data }, { elements: { first } }) {
          for (let i = 0; i < symbols.length; i++) data[first + i] = symbols[i]! + lowest;
          return undefined;
        },
      };
    },
  };
}

export const integersDefinition: StageDefinition = { name, parameters: [], read: () => integers() };
