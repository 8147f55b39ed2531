import { createScratch } from "../scratch.js";
import type { Stage } from "../stage.js";
import { byteBits, createSymbolPacking, packedBytes, packSymbols, unpackSymbols } from "./symbol-packing.js";

/** Dense packing of symbols (spec 6.2): what a chain that ends with symbols ends with. It has no name in texts. */
export const pack: Stage<"symbols", "bytes"> = {
  ...{ name: "pack", text: "", input: "symbols", output: "bytes" },
  plan({ levels }) {
    const packing = createSymbolPacking(levels);
    const scratch = createScratch((length) => new Uint8Array(length));
    return {
      output: {},
      fixedBytes: (elements) => packedBytes(packing, elements),
      packedBits: byteBits(packing),
      encode(symbols) {
        const bytes = scratch(packedBytes(packing, symbols.length));
        packSymbols(packing, symbols, symbols.length, bytes, 0);
        return bytes;
      },
      decode(bytes, symbols) {
        unpackSymbols(packing, bytes, 0, symbols, symbols.length);
        return undefined;
      },
    };
  },
};
