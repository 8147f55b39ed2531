import { TensorError } from "@sluice/tensor";
import { channelGrid } from "../channel-grid.js";
import { resetAdaptiveBits } from "../entropy/adaptive-bits.js";
import { lookAround, type Neighbourhood } from "../entropy/neighbourhood.js";
import { createRangeDecoder } from "../entropy/range-decoder.js";
import { createRangeEncoder } from "../entropy/range-encoder.js";
import { createSymbolCoding } from "../entropy/symbol-coding.js";
import type { Stage } from "../stage.js";
import type { StageDefinition } from "../stage-definition.js";
import { channelElementOrder } from "../unit-order.js";

const name = "entropy";
const maxEntropyLevels = 256;

/**
 * Codes symbols by what is around them in their channel, without loss (spec 6.10). Each slice begins anew and holds
 * elements by channels, so that what is lost with it lies together.
 */
export function entropy(): Stage<"symbols", "bytes"> {
  return {
    ...{ name, text: name, input: "symbols", output: "bytes", unitOrder: channelElementOrder },
    plan({ levels }, { spec }) {
      if (levels > maxEntropyLevels) {
        throw new TensorError(
          "codec.entropy",
          `takes at most ${maxEntropyLevels} levels, it gets ${levels}; use quantize:levels=${maxEntropyLevels} or fewer`,
        );
      }
      const { rows, columns } = channelGrid(spec);
      const coding = createSymbolCoding(levels);
      const encoder = createRangeEncoder();
      const decoder = createRangeDecoder();
      const around: Neighbourhood = { mean: 0, activity: 0 };
      return {
        output: {},
        encode(symbols, { elements: { first } }, _side, room) {
          resetAdaptiveBits(coding.bits);
          encoder.start();
          let fitting = 0;
          let column = first % columns;
          let row = Math.floor(first / columns) % rows;
          for (let i = 0; i < symbols.length; i++) {
            lookAround(symbols, i, row, column, columns, levels, around);
            if (++column === columns) {
              column = 0;
              if (++row === rows) row = 0;
            }
            coding.encode(encoder, symbols[i]!, around);
            if (encoder.length < room) fitting = i + 1;
            else if (encoder.length > room) return { fits: fitting / symbols.length };
          }
          return encoder.finish();
        },
        decode(payload, symbols, { elements: { first } }) {
          resetAdaptiveBits(coding.bits);
          decoder.start(payload);
          let column = first % columns;
          let row = Math.floor(first / columns) % rows;
          for (let i = 0; i < symbols.length; i++) {
            lookAround(symbols, i, row, column, columns, levels, around);
            if (++column === columns) {
              column = 0;
              if (++row === rows) row = 0;
            }
            const symbol = coding.decode(decoder, around);
            if (symbol >= levels) return "payload";
            symbols[i] = symbol;
          }
          return decoder.isAtEnd ? undefined : "payload";
        },
      };
    },
  };
}

export const entropyDefinition: StageDefinition = { name, parameters: [], read: () => entropy() };
