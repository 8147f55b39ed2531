import { parseInterleaving } from "@sluice/codec";
import { concealmentMethods } from "@sluice/concealment";
import { type EngineName, engineNames } from "@sluice/http3";
import { namedSourceForms, type ProviderChoice, preprocessPresets, sourceForms } from "@sluice/inference";
import { parseFec, strategies } from "@sluice/protocol";
import { type Command, Option } from "commander";
import { CliError } from "./cli-error.js";
import { ExitCode } from "./exit-codes.js";
import { askedModelHelp } from "./model-help.js";
import { parseCount } from "./parse-count.js";
import { providerOption } from "./provider-option.js";
import type { StreamOptions } from "./stream-api.js";

/** Values of the options that `stream` and `demo` share, as commander leaves them. */
export interface StreamOptionValues {
  readonly model: string;
  readonly split?: string;
  readonly strategy: StreamOptions["strategy"];
  readonly profile?: string;
  readonly slowdown: number;
  readonly source?: readonly string[];
  readonly dtype?: "float32" | "uint8";
  readonly labels?: string;
  readonly preprocess?: keyof typeof preprocessPresets;
  readonly codec?: string;
  readonly mode: StreamOptions["mode"];
  readonly concealment?: string;
  readonly fps: number;
  readonly frames?: number;
  readonly duration?: number;
  readonly deadlineMs: number;
  readonly seed?: number;
  readonly threads?: number;
  readonly provider?: ProviderChoice;
  readonly engine: EngineName;
  readonly fallback?: true;
  readonly token?: string;
  readonly urgency?: number;
  readonly minReceived?: number;
  readonly fec?: string;
  readonly interleave?: string;
  readonly reconnect: boolean;
  readonly metrics?: string;
  readonly saveOutputs?: string;
  readonly results?: string;
  readonly json?: true;
}

/** A positive number, whole or not. */
export function parsePositive(option: string, most: number): (text: string) => number {
  return (text) => {
    const value = /^\d{1,9}(\.\d{1,6})?$/.test(text) ? Number(text) : 0;
    if (!(value > 0 && value <= most)) {
      throw new CliError(
        ExitCode.usage,
        `${option}: expected a number above 0 and at most ${most}, got "${text}"`,
      );
    }
    return value;
  };
}

/** Text that `read` can read. */
function readable(option: string, read: (text: string) => unknown): (text: string) => string {
  return (text) => {
    try {
      read(text);
      return text;
    } catch (error) {
      throw new CliError(ExitCode.usage, `${option}: ${(error as Error).message}`);
    }
  };
}

/** Gathers an option that may be given again. */
export function collect(text: string, before: readonly string[] | undefined): readonly string[] {
  return [...(before ?? []), text];
}

/** What `--source` takes. */
export const sourceHelp = `${sourceForms}; ${namedSourceForms} (may be given again; default: what suits the model)`;

/** Adds the options that say what is streamed and how. */
export function addStreamOptions(command: Command, defaults: { readonly durationSeconds: number }): Command {
  return command
    .option("--model <model>", askedModelHelp, "fashion")
    .option(
      "--split <tensor>",
      "where to cut; `sluice inspect` lists the tensors; for auto several, with commas (default: the model's)",
    )
    .addOption(
      new Option("--strategy <where>", "where the network runs; auto: wherever it suits the moment")
        .choices([...strategies, "auto"])
        .default("shared"),
    )
    .option(
      "--profile <file>",
      "for auto: the costs that `sluice profile --json` has measured (default: measured here)",
    )
    .option(
      "--slowdown <times>",
      "stretch the client's work to so many times what it usually takes here, as on a slower device",
      parsePositive("--slowdown", 1_000),
      1,
    )
    .option("--source <what>", sourceHelp, collect)
    .addOption(
      new Option("--dtype <dtype>", "of synthetic tensors, and of what `server` sends").choices([
        "float32",
        "uint8",
      ]),
    )
    .option("--labels <file>", "names of the classes: .json, .tsv or one a line")
    .addOption(
      new Option("--preprocess <preset>", "how pixels become the model's input").choices(
        Object.keys(preprocessPresets),
      ),
    )
    .option("--codec <chain>", "stages of a codec, see below (default: what suits the tensor)")
    .addOption(
      new Option("--mode <mode>", "datagrams, a stream for each tensor, or one that is never given up")
        .choices(["datagram", "stream", "reliable"])
        .default("datagram"),
    )
    .option(
      "--concealment <method>",
      `how the server fills what did not arrive: ${concealmentMethods.join(", ")} (default: the server's choice, auto)`,
    )
    .option("--fps <n>", "frames offered per second", parsePositive("--fps", 100_000), 30)
    .option("--frames <n>", "end after so many frames", (text) => parseCount(text, "--frames"))
    .option(
      "--duration <seconds>",
      `end after so many seconds (default: ${defaults.durationSeconds}, or none with --frames)`,
      parsePositive("--duration", 1e6),
    )
    .option(
      "--deadline-ms <ms>",
      "how long after its capture a result is useful",
      (text) => parseCount(text, "--deadline-ms", 1, 0x7fffffff),
      150,
    )
    .option("--seed <n>", "shuffles the images; makes a run the same again", (text) =>
      parseCount(text, "--seed", 0, 2 ** 32 - 1),
    )
    .option("--threads <n>", "threads for the client's half", (text) => parseCount(text, "--threads", 1, 64))
    .addOption(providerOption("the client's half"))
    .addOption(new Option("--engine <name>", "transport").choices([...engineNames]).default("auto"))
    .option("--fallback", "go on over TCP (a WebSocket) where UDP does not get through")
    .option("--token <text>", "bearer token, where the server asks for one")
    .option(
      "--urgency <n>",
      "0, the most urgent, to 7: the share beside other streams (default: 3)",
      (text) => parseCount(text, "--urgency", 0, 7),
    )
    .option(
      "--min-received <percent>",
      "share of a frame that is waited and asked for while it can be in time (default: 0)",
      (text) => parseCount(text, "--min-received", 0, 100),
    )
    .option(
      "--fec <form>",
      "repair symbols behind each frame, such as rs:max=15 or xor:max=30 (default: none)",
      readable("--fec", parseFec),
    )
    .option(
      "--interleave <order>",
      "what a slice holds: contiguous, checkerboard, channel-strided or pseudo-random:seed=1 (default: what suits the codec)",
      readable("--interleave", parseInterleaving),
    )
    .option("--no-reconnect", "end when the session is lost, instead of going on in another one")
    .option("--metrics <host:port>", "serve this client's Prometheus metrics over HTTP (default: off)")
    .option("--json", "print one JSON object at the end");
}

/** What the options ask for. */
export function readStreamOptions(
  values: StreamOptionValues,
  target: Pick<StreamOptions, "url" | "certificateHash" | "insecure">,
  defaults: { readonly durationSeconds: number },
): StreamOptions {
  const { model, strategy, mode, fps, deadlineMs, engine, frames, duration, saveOutputs } = values;
  if (saveOutputs !== undefined && (strategy === "client" || strategy === "auto"))
    throw new CliError(
      ExitCode.usage,
      "--save-outputs: takes --strategy shared or server, whose outputs come from the server",
    );
  return {
    ...{ ...target, model, strategy, mode, fps, deadlineMs, engine, frames },
    durationSeconds: duration ?? (frames === undefined ? defaults.durationSeconds : undefined),
    ...{
      split: values.split,
      source: values.source,
      dtype: values.dtype,
      codec: values.codec,
      seed: values.seed,
    },
    ...{ labels: values.labels, preprocess: values.preprocess },
    ...{ threads: values.threads, provider: values.provider },
    ...{ concealment: values.concealment, token: values.token, fallback: values.fallback === true },
    ...{ urgency: values.urgency, minReceivedPercent: values.minReceived },
    ...{ fec: values.fec, interleave: values.interleave, saveOutputs },
    results: values.results,
    ...{
      reconnect: values.reconnect,
      metrics: values.metrics,
      profile: values.profile,
      slowdown: Math.max(1, values.slowdown),
    },
  };
}
