import type { ProviderChoice } from "@sluice/inference";
import {
  type CapturedStream,
  CaptureError,
  type CaptureReader,
  type OpenServedStream,
  openCaptureFile,
  type ReplayedFrame,
  replayCapture,
  StreamRefusal,
} from "@sluice/server";
import type { Command } from "commander";
import type { CliContext } from "./cli-context.js";
import { CliError } from "./cli-error.js";
import { ExitCode } from "./exit-codes.js";
import { parseCount } from "./parse-count.js";
import { providerOption } from "./provider-option.js";
import { describeAnswer } from "./replay-answer.js";
import { losslessAnswer } from "./replay-lossless.js";
import {
  countFrames,
  describeStream,
  formatFrames,
  formatSlices,
  frameToJson,
  type ReplayTotals,
} from "./replay-report.js";
import { openServedModels } from "./served-models.js";

interface ReplayCommandOptions {
  readonly frame?: number;
  readonly model?: string;
  readonly labels?: string;
  readonly image?: string;
  readonly threads?: number;
  readonly provider?: ProviderChoice;
  readonly json?: true;
}

/** Frames that a table is written for at once. */
const tableRows = 32;

/** The model that answers again, whatever the server called it. */
async function openServed(
  stream: CapturedStream,
  options: ReplayCommandOptions,
  context: CliContext,
): Promise<{ readonly open: OpenServedStream; close(): Promise<void> }> {
  const [named] = stream.options.model.split("@");
  const reference = options.model ?? named!;
  const isKnown = options.model !== undefined || ["fashion", "sink"].includes(named!);
  if (!isKnown) {
    throw new CliError(
      ExitCode.usage,
      `--model: the capture is of "${reference}"; give the path of its .onnx file`,
    );
  }
  const entry = { name: "captured", version: "", reference, labelsPath: options.labels };
  const { registry } = await openServedModels([entry], {
    ...{ threads: options.threads, provider: options.provider, maxLoaded: undefined },
  });
  return {
    open: async (request) => {
      const opened = await registry.open({ ...request, model: "captured" });
      const { modelHash } = stream;
      if (modelHash.length > 0 && !opened.modelHash?.every((byte, i) => byte === modelHash[i])) {
        context.stderr.write("the model is another one than that of the capture: answers may differ\n");
      }
      const { provider } = stream;
      if (provider !== "" && opened.provider !== undefined && opened.provider !== provider) {
        context.stderr.write(
          `${provider} computed what was captured and ${opened.provider} does now (--provider): answers may differ\n`,
        );
      }
      return opened;
    },
    close: registry.close,
  };
}

async function replayAll(reader: CaptureReader, options: ReplayCommandOptions, context: CliContext) {
  const { stream } = reader;
  const served = await openServed(stream, options, context);
  let totals: ReplayTotals = { frames: 0, same: 0, different: 0, unknown: 0 };
  let rows: ReplayedFrame[] = [];
  const show = () => {
    if (!options.json && rows.length > 0) context.stdout.write(`${formatFrames(rows, stream)}\n`);
    rows = [];
  };
  const say = (text: string) => void (options.json || context.stdout.write(text));
  say(`${describeStream(stream)}\n\n`);
  try {
    const lossless =
      options.image && (await losslessAnswer(stream, served.open, { ...options, image: options.image }));
    const { frame } = options;
    const replay = { openServedStream: served.open, ...(frame === undefined ? {} : { frame }) };
    for await (const replayed of replayCapture(reader, replay)) {
      if (context.signal.aborted) throw new CliError(ExitCode.interrupted, "");
      totals = countFrames(totals, replayed);
      if (options.json) {
        context.stdout.write(`${JSON.stringify(frameToJson(replayed, stream, lossless || undefined))}\n`);
        continue;
      }
      // What has been shown need not be kept.
      rows.push(replayed);
      if (rows.length === tableRows) show();
      if (frame === undefined) continue;
      show();
      say(`${formatSlices(replayed, stream)}\n`);
    }
    show();
    if (lossless) say(`without loss: ${describeAnswer(lossless)}\n`);
  } finally {
    await served.close();
  }
  return totals;
}

async function replay(path: string, options: ReplayCommandOptions, context: CliContext): Promise<void> {
  try {
    const reader = await openCaptureFile(path);
    try {
      const totals = await replayAll(reader, options, context);
      finish(totals, reader, options, context);
    } finally {
      await reader.close();
    }
  } catch (cause) {
    if (!(cause instanceof CaptureError || cause instanceof StreamRefusal)) throw cause;
    throw new CliError(ExitCode.notFound, `${path}: ${cause.message}`, { cause });
  }
}

function finish(
  totals: ReplayTotals,
  reader: CaptureReader,
  options: ReplayCommandOptions,
  context: CliContext,
) {
  const { frames, same, different, unknown } = totals;
  const { bytesCut } = reader;
  if (options.json) context.stdout.write(`${JSON.stringify({ event: "replayed", ...totals, bytesCut })}\n`);
  else {
    context.stdout.write(
      `${frames} frames: ${same} the same bit for bit, ${different} different, ${unknown} without anything to compare\n`,
    );
    if (bytesCut > 0)
      context.stdout.write(`the capture was cut: its last ${bytesCut} bytes are no whole frame\n`);
  }
  if (options.frame !== undefined && frames === 0) {
    throw new CliError(ExitCode.notFound, `--frame: the capture has no frame ${options.frame}`);
  }
  if (different > 0) context.exitWith(ExitCode.internal);
}

/** Registers `sluice replay`. */
export function registerReplay(program: Command, context: CliContext): void {
  program
    .command("replay")
    .description("Decode, conceal and infer captured frames again, and compare bit for bit.")
    .argument("<file>", "a capture, as `sluice serve --capture DIR` writes them")
    .option("--frame <n>", "only this frame, slice by slice", (text) =>
      parseCount(text, "--frame", 0, 2 ** 32 - 1),
    )
    .option(
      "--model <model>",
      "fashion, the path of an .onnx file, or sink (default: what the capture names)",
    )
    .option("--labels <file>", "names of the classes: .json, .tsv or one a line, as the server had them")
    .option("--image <file>", "the image that was sent: also tells the answer without compression and loss")
    .option("--threads <n>", "threads for one inference", (text) => parseCount(text, "--threads", 1, 64))
    .addOption(providerOption("the network, as the server did: others round differently"))
    .option("--json", "print JSON, one object a line")
    .addHelpText(
      "after",
      `
What is compared: the tensor that the model got, the mask of what was missing, and the answer. Exit code 1 where any of
them differs. "units" came or were recovered; of the elements of the others, and of slices that were refused, the
concealed share consists.

Examples:
  $ sluice serve --capture captures --capture-frames bad:concealed=20
  $ sluice replay captures/20261127T111540-7-0001-fashion-add_3.capture
  $ sluice replay captures/20261127T111540-7-0001-fashion-add_3.capture --frame 17 --json`,
    )
    .action((file: string, options: ReplayCommandOptions) => replay(file, options, context));
}
