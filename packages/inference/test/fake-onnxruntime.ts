/**
 * A module in the place of onnxruntime: providers that take so long on a clock of its own. `cuda` takes 1 ms where the
 * model's first byte is 0, 9 ms where it is 1, fails to run where it is 2, takes 6 ms where it is 3, and where it is 4 once 1 and else 9; the processor takes 5,
 * and where the byte is 3 so much for each sample.
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
    const kind = model[0]!;
    const isCpu = provider === "cpu";
    let runs = 0;
    const timeOf = (batch: number): number => {
      if (isCpu) return kind === 3 ? 5 * batch : 5;
      return kind === 4 && runs === 2 ? 1 : [1, 9, Number.NaN, 6, 9][kind]!;
    };
    open++;
    return {
      inputMetadata: [{ name: "in", ...info }],
      outputMetadata: [{ name: "out", ...info }],
      outputNames: ["out"],
      async run({ in: input }: { readonly in: Tensor }) {
        runs++;
        const runMs = timeOf(input.dims[0]!);
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
