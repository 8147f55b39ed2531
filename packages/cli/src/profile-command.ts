import { writeFile } from "node:fs/promises";
import { type Codec, defaultCodec, prepareCodec } from "@sluice/codec";
import {
  bestByBandwidth,
  loadModel,
  type Model,
  type ModelProfile,
  measureProfile,
  openSources,
  type ProviderChoice,
  preprocessPresets,
  readStatistics,
} from "@sluice/inference";
import { isFloatDtype, type Tensor } from "@sluice/tensor";
import { type Command, Option } from "commander";
import type { CliContext } from "./cli-context.js";
import { defaultSource } from "./client-half.js";
import { codecHelp } from "./codec-help.js";
import { addModelArgument, readModelArgument } from "./model-argument.js";
import { modelHelp } from "./model-help.js";
import { inputCodec, pictureCodec, takesPixels } from "./model-part.js";
import { parseCount } from "./parse-count.js";
import { drawProfile } from "./profile-plot.js";
import { profileProviders } from "./profile-providers.js";
import { formatIntervals, formatLayers, formatOptions, nameOptions } from "./profile-report.js";
import { engineOptions, providerOption } from "./provider-option.js";
import { collect, parsePositive, sourceHelp } from "./stream-options.js";
import { integerCodec } from "./suited-codec.js";

interface ProfileCommandOptions {
  readonly split?: readonly string[];
  readonly codec?: readonly string[];
  readonly inputCodec?: readonly string[];
  readonly source?: readonly string[];
  readonly preprocess?: keyof typeof preprocessPresets;
  readonly images: number;
  readonly runs: number;
  readonly threads?: number;
  readonly provider?: ProviderChoice;
  readonly providers?: true;
  readonly rtt: number;
  readonly slowdown: number;
  readonly plot?: string;
  readonly json?: true;
}

/** Inputs for the model: from a source, else noise of its shape. */
async function takeInputs(model: Model, { source, images }: ProfileCommandOptions): Promise<Tensor[]> {
  const opened = await openSources(source ?? [defaultSource(model)], model, { seed: 1 });
  const tensors: Tensor[] = [];
  for await (const { image } of opened) {
    tensors.push({ ...image, layout: model.input.layout });
    if (tensors.length === images) break;
  }
  if (tensors.length === 0) throw new RangeError("--source: holds no images");
  return tensors;
}

/** What the input is sent as: pixels as they are, or as numbers; and as pictures. */
async function openInputCodecs(model: Model, given: readonly string[] | undefined) {
  const isPixels = takesPixels(model);
  // Nor are tensors of all kinds in a bundle.
  const isWhole = !isFloatDtype(model.input.dtype) || model.inputs.length > 1;
  const plain = { codec: await prepareCodec(isPixels || isWhole ? "raw" : inputCodec), asBytes: isPixels };
  // Places in a table are no picture.
  if (given === undefined && isWhole) return [plain];
  if (given === undefined) return [plain, { codec: await prepareCodec(pictureCodec), asBytes: false }];
  return Promise.all(
    given.map(async (text) => ({ codec: await prepareCodec(text), asBytes: isPixels && text === "raw" })),
  );
}

/** The profile for a client that takes so many times as long as this machine. */
function slowClient(profile: ModelProfile, factor: number): ModelProfile {
  const options = profile.options.map((option) => ({
    ...option,
    clientMs: option.clientMs * factor,
    encodeMs: option.encodeMs * factor,
  }));
  return { ...profile, options };
}

async function profile(
  reference: string,
  options: ProfileCommandOptions,
  context: CliContext,
): Promise<void> {
  if (options.providers) return profileEachProvider(reference, options, context);
  const { rtt: rttMs } = options;
  const codecs: Codec[] = await Promise.all(
    (options.codec ?? [defaultCodec]).map((text) => prepareCodec(text)),
  );
  const model = await loadModel(reference, {
    ...(options.preprocess ? { preprocess: preprocessPresets[options.preprocess] } : {}),
    onLog: (line) => context.stderr.write(`${line}\n`),
  });
  const inputs = await takeInputs(model, options);
  const measured = await measureProfile(model, {
    ...(options.codec ? {} : { integerCodecs: [await prepareCodec(integerCodec)] }),
    ...{ inputs, codecs, runs: options.runs, signal: context.signal, now: () => performance.now() },
    inputCodecs: await openInputCodecs(model, options.inputCodec),
    ...(options.split ? { splits: options.split } : {}),
    statistics: (split) => readStatistics(model, split),
    engine: engineOptions(options),
    onProgress(done, total, split) {
      if (!context.isTty) return;
      const line = done < total ? `measuring ${done} of ${total} ${split}` : "";
      context.stderr.write(`\r\u001b[K${line}`);
    },
  });
  const { layers, skipped } = measured;
  const profile = slowClient(measured.profile, options.slowdown);
  const intervals = bestByBandwidth(profile.options, rttMs);
  const slower = options.slowdown === 1 ? "" : `, client ${options.slowdown} times slower`;
  const plot = options.plot;
  if (plot !== undefined) {
    await writeFile(
      plot,
      drawProfile(
        `${model.name}, RTT ${rttMs} ms, ${profile.machine}${slower}`,
        profile.options,
        intervals,
        rttMs,
      ),
    );
  }
  if (options.json) {
    const best = intervals.map(({ option, fromBitsPerSecond, toBitsPerSecond }) => ({
      ...{ strategy: option.strategy, split: option.split, codec: option.codec, fromBitsPerSecond },
      toBitsPerSecond: Number.isFinite(toBitsPerSecond) ? toBitsPerSecond : null,
    }));
    context.stdout.write(
      `${JSON.stringify({ ...profile, slowdown: options.slowdown, rttMs, best, layers, skipped })}\n`,
    );
    return;
  }
  const codecTexts = [...new Set(profile.options.map(({ codec }) => codec))].filter((text) => text !== "");
  const told =
    options.source === undefined && model.defaultCut === undefined ? "noise" : `${inputs.length} images`;
  context.stdout.write(
    `${model.name} on ${profile.machine}, for ${told}, RTT ${rttMs} ms${slower}; totals in ms at 1, 5, 20 and 100 Mbit/s\n\n` +
      `${formatOptions(profile.options, rttMs)}codecs: ${codecTexts.join("; ")}\n\nthe fastest, by bandwidth:\n${formatIntervals(intervals, nameOptions(profile.options))}\n${formatLayers(layers)}` +
      skipped
        .map(
          ({ split, codec, reason }) =>
            `left out: ${split === "" ? "the input" : split} under ${codec}: ${reason}\n`,
        )
        .join("") +
      (plot === undefined ? "" : `\ncurves in ${plot}\n`),
  );
}

async function profileEachProvider(
  reference: string,
  options: ProfileCommandOptions,
  context: CliContext,
): Promise<void> {
  if ((options.split?.length ?? 0) > 1) throw new RangeError("--split: only one with --providers");
  const model = await loadModel(reference, { severalInputs: true });
  await profileProviders(
    model,
    {
      ...{ split: options.split?.[0], runs: options.runs, json: options.json === true },
      engine: engineOptions({ threads: options.threads }),
    },
    context,
  );
}

/** Registers `sluice profile`. */
export function registerProfile(program: Command, context: CliContext): void {
  addModelArgument(program.command("profile"), modelHelp)
    .description(
      "Measure where the time of an inference goes at each cut, and tell which way is the fastest when.",
    )
    .option("--split <tensor>", "only this cut; may be given more than once (default: all)", collect)
    .option(
      "--codec <chain>",
      `a codec of tensors at cuts, may be given more than once (default: ${defaultCodec}, and ${integerCodec} for whole numbers)`,
      collect,
    )
    .option(
      "--input-codec <chain>",
      "a codec of the input, for the server only (default: as bytes, and as JPEG; whole numbers as they are)",
      collect,
    )
    .option("--source <what>", sourceHelp, collect)
    .addOption(
      new Option("--preprocess <preset>", "how pixels become the model's input").choices(
        Object.keys(preprocessPresets),
      ),
    )
    .option(
      "--images <n>",
      "inputs that are used in turn",
      (text) => parseCount(text, "--images", 1, 10_000),
      8,
    )
    .option(
      "--runs <n>",
      "timed runs of each part; the middle one counts",
      (text) => parseCount(text, "--runs", 1, 100_000),
      15,
    )
    .option("--threads <n>", "threads for one inference", (text) => parseCount(text, "--threads", 1, 64))
    .addOption(providerOption("the parts"))
    .option(
      "--providers",
      "instead: time the whole network, or what comes after --split, with each provider of onnxruntime on noise",
    )
    .option(
      "--rtt <ms>",
      "round trip that the totals are told for",
      (text) => parseCount(text, "--rtt", 0, 60_000),
      20,
    )
    .option(
      "--slowdown <times>",
      "how many times as long as this machine the client takes (default: 1)",
      parsePositive("--slowdown", 10_000),
      1,
    )
    .option("--plot <file>", "draw total time over bandwidth, as SVG")
    .option("--json", "print one JSON object")
    .addHelpText(
      "after",
      `
I_t = I_c + E_c + D / B + RTT + E_s + I_s: the client's part of the network, encoding, what is sent over the bandwidth, the
round trip, decoding, the server's part. All parts run on this machine: for another server, profile there as well.
D holds the headers of all layers. The JSON object is what a client chooses its strategy by.
${codecHelp}
Examples:
  $ sluice profile fashion --plot fashion.svg
  $ sluice profile mobilenet.onnx --providers      # whether a GPU is found, and what it is worth
  $ sluice profile mobilenet.onnx --source photos/ --preprocess tensorflow --json > mobilenet-profile.json
  $ sluice profile mobilenet.onnx --split add_3 --split add_7 --codec 'quantize:levels=8,clip=3 | entropy'`,
    )
    .action((model: string | undefined, options: ProfileCommandOptions, command: Command) =>
      profile(readModelArgument(model, command), options, context),
    );
}
