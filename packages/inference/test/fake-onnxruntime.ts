/**
 * A module in the place of onnxruntime: providers that take so long on a clock of its own. `cuda` takes 1 ms where the
 * model's first byte is 0, 9 ms where it is 1, and fails to run where it is 2; the processor takes 5.
 */
import type * as Ort from "onnxruntime-node";

let nowMs = 0;
Object.defineProperty(performance, "now", { value: () => nowMs });

/** Sessions that are open: what is not kept must be released. */
let open = 0;

export const listSupportedBackends = () => ["cpu", "cuda"].map((name) => ({ name, bundled: true }));

export class Tensor {
  constructor(
    readonly type: string,
    readonly data: Float32Array,
    readonly dims: readonly number[],
  ) {}
}

const info = { isTensor: true, type: "float32", shape: ["N", 2] };

export const InferenceSession = {
  async create(model: Uint8Array, { executionProviders }: Ort.InferenceSession.SessionOptions) {
    const provider = executionProviders![0] as string;
    const runMs = provider === "cpu" ? 5 : [1, 9, Number.NaN][model[0]!]!;
    open++;
    return {
      inputMetadata: [{ name: "in", ...info }],
      outputMetadata: [{ name: "out", ...info }],
      outputNames: ["out"],
      async run({ in: input }: { readonly in: Tensor }) {
        if (Number.isNaN(runMs)) throw new Error("out of memory\nand more of it");
        nowMs += runMs;
        return { out: new Tensor("float32", Float32Array.of(open, input.data[1]!), [1, 2]) };
      },
      async release() {
        open--;
      },
    };
  },
};
