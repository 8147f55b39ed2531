import { type Codec, defaultCodec, prepareCodec } from "@sluice/codec";
import {
  type CrossingTensor,
  type Cut,
  createSeededRandom,
  findCut,
  type IllegalCut,
  loadModel,
  type Model,
  type Network,
  namesOf,
  readStatistics,
} from "@sluice/inference";
import { createTensor, isFloatDtype, packTensors, TensorError, type TensorSpec } from "@sluice/tensor";
import type { Command } from "commander";
import type { CliContext } from "./cli-context.js";
import { codecHelp } from "./codec-help.js";
import { formatBytes, formatTable } from "./format-table.js";
import { addModelArgument, readModelArgument } from "./model-argument.js";
import { modelHelp } from "./model-help.js";
import { collect } from "./stream-options.js";
import { integerCodec, suitedCodec } from "./suited-codec.js";

interface InspectOptions {
  readonly codec?: string;
  readonly split?: readonly string[];
  readonly illegal?: true;
  readonly json?: true;
}

/** A slice's payload in a datagram of 1,200 bytes, with room for the headers. */
const payloadBytes = 1100;

/** What is told about a place to cut; `null` where the codec does not take the tensor. */
interface CutReport {
  readonly name: string;
  readonly operation: string;
  readonly dtype: string;
  readonly shape: readonly number[];
  /** Where several tensors cross: each of them, which lie one behind the other in one of this type and shape. */
  readonly crossing?: readonly CrossingTensor[];
  readonly elements: number;
  readonly float32Bytes: number;
  /** What its coded size is told for. */
  readonly codec: string;
  readonly codedBytes: number | null;
  readonly slices: number | null;
  /** Of one sample, before the cut. */
  readonly multiplyAdds: number;
  /** Share of the multiply-adds before the cut, 0..1. */
  readonly workShare: number;
  readonly recommended: boolean;
  readonly statistics: boolean;
  /** What the file declares the tensor to be, where a run gives something else. */
  readonly declared?: string;
}

/**
 * Bytes and slices of a tensor of this shape. What `raw` and `quantize` give is the same for any values; codecs of variable
 * rate are told for noise, which is the worst.
 */
function measureCoded(cut: Cut, codec: Codec): { bytes: number | null; slices: number | null } {
  try {
    const random = createSeededRandom(1);
    const noise = (spec: TensorSpec) => {
      const tensor = createTensor(spec.dtype, spec.shape, undefined, spec.layout);
      for (let i = 0; i < tensor.data.length; i++) tensor.data[i] = 40 * random();
      return tensor;
    };
    const tensor = packTensors((cut.crossing ?? [cut]).map(noise));
    const { slices } = codec.createEncoder(tensor).encode(tensor, payloadBytes);
    return {
      bytes: slices.reduce((sum, { payload }) => sum + payload.length, 0),
      slices: slices.length,
    };
  } catch (error) {
    if (error instanceof TensorError) return { bytes: null, slices: null };
    throw error;
  }
}

async function describeCut(cut: Cut, model: Model, codec: Codec): Promise<CutReport> {
  const coded = measureCoded(cut, codec);
  return {
    name: cut.name,
    operation: cut.operation,
    dtype: cut.dtype,
    shape: cut.shape,
    elements: cut.elements,
    float32Bytes: cut.elements * 4,
    codec: codec.text,
    codedBytes: coded.bytes,
    slices: coded.slices,
    multiplyAdds: cut.multiplyAdds,
    workShare: cut.workShare,
    recommended: cut.name === model.defaultCut,
    statistics: (await readStatistics(model, cut.name)) !== undefined,
    ...(cut.crossing === undefined ? {} : { crossing: cut.crossing }),
    ...(cut.declared === undefined ? {} : { declared: cut.declared }),
  };
}

function describeSize({ format, byteLength }: Network): string {
  return byteLength === undefined ? format : `${format}, ${formatBytes(byteLength)}`;
}

function formatShape(shape: readonly (number | null)[]): string {
  return shape.length === 0 ? "scalar" : shape.map((size) => size ?? "?").join("x");
}

/** The shapes of all that crosses at a cut. */
function formatCrossing({ shape, crossing }: CutReport): string {
  return crossing ? crossing.map((tensor) => formatShape(tensor.shape)).join(" + ") : formatShape(shape);
}

const columns = [
  { title: "split" },
  { title: "operation" },
  { title: "shape" },
  { title: "elements", align: "right" },
  { title: "float32", align: "right" },
  { title: "coded", align: "right" },
  { title: "slices", align: "right" },
  { title: "work before", align: "right" },
  { title: "" },
] as const;

function notes({ recommended, statistics, dtype, declared, crossing, name }: CutReport): string {
  const differs = declared !== undefined && `declared as ${declared}, which a run does not give`;
  const made = namesOf(name, (text) => crossing?.some((tensor) => tensor.name === text) ?? false);
  const beside = crossing
    ?.filter((tensor) => !made.includes(tensor.name))
    .map((tensor) => `"${tensor.name}"`);
  const types = crossing ? [...new Set(crossing.map((tensor) => tensor.dtype))].join(" + ") : dtype;
  return [
    recommended && "default",
    statistics && "statistics",
    types !== "float32" && types,
    beside && beside.length > 0 && `with ${beside.join(", ")}`,
    differs,
  ]
    .filter((note) => typeof note === "string")
    .join(", ");
}

function formatCuts(cuts: readonly CutReport[], hasReasons: boolean): string {
  if (cuts.length === 0) return `it can be cut nowhere${hasReasons ? "" : "; --illegal says why"}\n`;
  return formatTable(
    columns,
    cuts.map((cut) => [
      cut.name,
      cut.operation,
      formatCrossing(cut),
      String(cut.elements),
      formatBytes(cut.float32Bytes),
      cut.codedBytes === null ? "-" : formatBytes(cut.codedBytes),
      cut.slices === null ? "-" : String(cut.slices),
      `${(cut.workShare * 100).toFixed(1)} %`,
      notes(cut),
    ]),
  );
}

function formatIllegal(illegal: readonly IllegalCut[], cuts: number): string {
  if (illegal.length === 0) {
    return cuts === 0 ? "it has no inner tensors\n" : "every tensor on the way is a cut\n";
  }
  return formatTable(
    [{ title: "no cut" }, { title: "operation" }, { title: "because" }],
    illegal.map(({ name, operation, reason }) => [name, operation, reason]),
  );
}

async function inspectModel(reference: string, options: InspectOptions, context: CliContext): Promise<void> {
  const codecs = new Map<string, Codec>();
  const codecOf = async (cut: Cut): Promise<Codec> => {
    const text = options.codec ?? suitedCodec(cut);
    const codec = codecs.get(text) ?? (await prepareCodec(text));
    codecs.set(text, codec);
    return codec;
  };
  // A codec that there is not is told before the model is read.
  const { text: codecText } = await prepareCodec(options.codec ?? defaultCodec);
  const model = await loadModel(reference, {
    severalInputs: true,
    onLog: (line) => context.stderr.write(`${line}\n`),
  });
  const { network } = model;
  const cuts: CutReport[] = [];
  for (const cut of await chooseCuts(network, options.split)) {
    context.signal.throwIfAborted();
    cuts.push(await describeCut(cut, model, await codecOf(cut)));
  }
  const outputs = await network.measureOutputs();
  const illegal = options.illegal ? await network.listIllegalCuts() : undefined;
  if (options.json) {
    const { name, input, labels } = model;
    const report = {
      name,
      format: network.format,
      engine: network.engine,
      bytes: network.byteLength ?? null,
      classes: labels.length,
      input,
      inputs: network.inputs,
      outputs,
      codec: codecText,
      payloadBytes,
      cuts,
      ...(illegal ? { illegal } : {}),
    };
    context.stdout.write(`${JSON.stringify(report)}\n`);
    return;
  }
  const values = [
    ...network.inputs.map((input) => ["input", input] as const),
    ...outputs.map((output) => ["output", output] as const),
  ];
  context.stdout.write(
    `${model.name}: ${describeSize(network)}\n${values
      .map(
        ([kind, { name, dtype, shape }]) => `  ${kind.padEnd(6)}  ${name}  ${dtype} ${formatShape(shape)}\n`,
      )
      .join(
        "",
      )}\n${formatCuts(cuts, illegal !== undefined)}\ncoded: ${describeCodecs(codecText, cuts)}, in slices of at most ${payloadBytes} bytes\n${illegal ? `\n${formatIllegal(illegal, cuts.length)}` : ""}`,
  );
}

/** All that are listed, or those that are asked for, which may be of tensors that cross together. */
async function chooseCuts(network: Network, splits: readonly string[] | undefined): Promise<Cut[]> {
  if (splits === undefined) return network.listCuts();
  const chosen: Cut[] = [];
  for (const name of splits) chosen.push(await findCut(network, name));
  return chosen;
}

/** What the sizes are told for. */
function describeCodecs(main: string, cuts: readonly CutReport[]): string {
  const hasOthers = cuts.some(
    ({ codec, crossing = [] }) =>
      codec !== main || (codec !== integerCodec && crossing.some(({ dtype }) => !isFloatDtype(dtype))),
  );
  return hasOthers ? `${main}, whole numbers ${integerCodec}` : main;
}

/** Registers `sluice inspect`. */
export function registerInspect(program: Command, context: CliContext): void {
  addModelArgument(program.command("inspect"), modelHelp)
    .description("List the tensors at which a model can be cut, their shapes and sizes.")
    .option(
      "--codec <chain>",
      `the codec that sizes are told for, see below (default: ${defaultCodec}, and ${integerCodec} for whole numbers, as \`stream\` does)`,
    )
    .option("--split <tensor>", "only this cut, may be given more than once", collect)
    .option("--illegal", "also list the tensors at which it cannot be cut, and why")
    .option("--json", "print one JSON object")
    .addHelpText(
      "after",
      `
Tensors that go around each other are a cut together, which --split names with a plus sign between them: left+right.
"work before" is the share of the multiply-adds that run before the cut, at the client. "coded" is told for noise, which
codecs of variable rate, entropy and pictures, make more of than of activations.
${codecHelp}
Examples:
  $ sluice inspect fashion
  $ sluice inspect mobilenet.onnx --codec quantize:levels=8
  $ sluice inspect mobilenet.onnx --codec 'quantize:levels=8,clip=3 | entropy'
  $ sluice inspect mobilenet.onnx --illegal
  $ sluice inspect unet.onnx --split bottom+skip1+skip2
  $ sluice inspect tfjs-mobilenet/ --json`,
    )
    .action((model: string | undefined, options: InspectOptions, command: Command) =>
      inspectModel(readModelArgument(model, command), options, context),
    );
}
