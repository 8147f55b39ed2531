import { elementCount, TensorError } from "@sluice/tensor";
import { channelGrid } from "../channel-grid.js";
import { createSymbolCoder } from "../entropy/symbol-coder.js";
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
    takesHalfRows: true,
    plan({ levels, blockLength }, { spec, rows: channelRows }) {
      if (levels > maxEntropyLevels) {
        throw new TensorError(
          "codec.entropy",
          `takes at most ${maxEntropyLevels} levels, it gets ${levels}; use quantize:levels=${maxEntropyLevels} or fewer`,
        );
      }
      const { rows, columns } =
        blockLength === undefined
          ? { rows: channelRows, columns: channelGrid(spec).columns }
          : { rows: Math.ceil(elementCount(spec.shape) / blockLength), columns: blockLength };
      const coder = createSymbolCoder({ levels, rows, columns });
      return {
        output: {},
        encode: (symbols, { elements: { first } }, _side, room) => coder.encode(symbols, first, room),
        decode: (payload, symbols, { elements: { first } }) =>
          coder.decode(payload, symbols, first) ? undefined : "payload",
      };
    },
  };
}

export const entropyDefinition: StageDefinition = { name, parameters: [], read: () => entropy() };
