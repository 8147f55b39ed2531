import { multiply } from "./galois-field.js";
import type { SymbolCombiner } from "./symbol-combiner.js";

/** Products of a factor with every byte; made when first needed, 64 KiB at most. */
const products: (Uint8Array | undefined)[] = [];

function productsOf(factor: number): Uint8Array {
  products[factor] ??= Uint8Array.from({ length: 256 }, (_, value) => multiply(factor, value));
  return products[factor];
}

function add(output: Uint8Array, input: Uint8Array): void {
  for (let i = 0; i < input.length; i++) output[i]! ^= input[i]!;
}

function addProducts(output: Uint8Array, table: Uint8Array, input: Uint8Array): void {
  for (let i = 0; i < input.length; i++) output[i]! ^= table[input[i]!]!;
}

/** In JavaScript: where there is no WebAssembly with SIMD, and to test the other one against. */
export const plainCombiner: SymbolCombiner = {
  kind: "plain",
  combine(factors, inputs, outputs) {
    for (const [o, output] of outputs.entries()) {
      for (const [i, input] of inputs.entries()) {
        const factor = factors[o * inputs.length + i]!;
        if (factor === 1) add(output, input);
        else if (factor !== 0) addProducts(output, productsOf(factor), input);
      }
    }
  },
};
