import { mkdir } from "node:fs/promises";
import { loadModel, type TensorInfo } from "@sluice/inference";
import type { Command } from "commander";
import type { CliContext } from "./cli-context.js";
import { addModelArgument, readModelArgument } from "./model-argument.js";

interface SplitOptions {
  readonly split: string;
  readonly out: string;
  readonly json?: true;
}

async function splitFile(reference: string, options: SplitOptions, context: CliContext): Promise<void> {
  const model = await loadModel(reference, { severalInputs: true });
  const { cut, crossing, head, tail } = await model.network.split(options.split);
  const { inputs } = model.network;
  const entering = crossing.filter(({ name }) => inputs.some((input) => input.name === name));
  const made = crossing.filter((tensor) => !entering.includes(tensor));
  await mkdir(options.out, { recursive: true });
  const [headPath] = await head.save(options.out, `${model.name}-head`);
  const [tailPath] = await tail.save(options.out, `${model.name}-tail`);
  context.stdout.write(
    options.json
      ? `${JSON.stringify({ event: "split", model: model.name, split: options.split, shape: cut.shape, dtype: cut.dtype, head: headPath, tail: tailPath })}\n`
      : `${headPath}: from ${inputs.length === 1 ? "the input" : describeInputs(head.inputs)} to ${made.map(describeTensor).join(", ")}\n` +
          `${tailPath}: from there${entering.length === 0 ? "" : ` and ${describeInputs(entering)}`} to the output\n`,
  );
}

function describeInputs(inputs: readonly TensorInfo[]): string {
  return `the input${inputs.length === 1 ? "" : "s"} ${inputs.map(({ name }) => name).join(", ")}`;
}

function describeTensor({ name, shape, dtype }: TensorInfo): string {
  return `${name} [${shape.join(", ")}] ${dtype}`;
}

/** Registers `sluice split`. */
export function registerSplit(program: Command, context: CliContext): void {
  addModelArgument(program.command("split"), "fashion (embedded), or the path of an .onnx file")
    .description("Write the two halves of an ONNX model as models of their own.")
    .requiredOption("--split <tensor>", "the tensor (`sluice inspect` lists them)")
    .option("--out <folder>", "where the files go", ".")
    .option("--json", "print one JSON object")
    .addHelpText(
      "after",
      `
For servers that run the second half by themselves, such as Triton: give them the tail, and tell \`sluice serve\` where.

Examples:
  $ sluice split mobilenet.onnx --split add_3 --out halves
  $ sluice serve --model mobilenet.onnx --split add_3 --remote add_3=http://triton:8000/v2/models/mobilenet-tail`,
    )
    .action((model: string | undefined, options: SplitOptions, command: Command) =>
      splitFile(readModelArgument(model, command), options, context),
    );
}
