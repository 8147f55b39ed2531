/** Sends by whatever strategy suits the moment: `--strategy auto`. */
import { readFile } from "node:fs/promises";
import { type AdaptiveCandidate, type AdaptiveOutcome, createAdaptiveStream } from "@sluice/client";
import type { LabelledImage, Model } from "@sluice/inference";
import { CliError } from "./cli-error.js";
import { openWorkload } from "./client-half.js";
import { ExitCode } from "./exit-codes.js";
import { answerWith } from "./fixed-sender.js";
import { type PeekedImages, peekImages } from "./peek-images.js";
import { type ModelCandidate, openCandidates, parseProfile } from "./strategy-candidates.js";
import type { Sender, SetupCandidate, StreamHooks, StreamOptions } from "./stream-api.js";
import { openStreamClient } from "./stream-client.js";
import { tensorStreamOptions } from "./tensor-stream-options.js";

/** Images with which the candidates are measured. */
const samples = 5;

/** @throws CliError, ModelError, EngineError, TensorError, ConnectError, ClientError */
export async function openAdaptiveSender(options: StreamOptions, hooks: StreamHooks): Promise<Sender> {
  if (options.model === "sink") {
    throw new CliError(
      ExitCode.usage,
      "--strategy auto: sink runs no network, so there is nothing to choose",
    );
  }
  const { model, source } = await openWorkload({ ...options, onNotice: hooks.onNotice });
  const images = await peekImages(source, samples, hooks.signal);
  try {
    if (images.first.length === 0) throw new CliError(ExitCode.notFound, "--source: it holds no image");
    return await openWith(model, images, options, hooks);
  } catch (error) {
    await images.close();
    throw error;
  }
}

async function openWith(
  model: Model,
  images: PeekedImages,
  options: StreamOptions,
  hooks: StreamHooks,
): Promise<Sender> {
  const profile = options.profile === undefined ? undefined : await readProfile(options.profile);
  const candidates = await openCandidates(model, images.first, {
    ...options,
    ...hooks,
    profile,
  });
  const closeParts = () =>
    Promise.all([...new Set(candidates.map(({ part }) => part))].map((part) => part.close()));
  try {
    const client = await openStreamClient(options, {
      ...hooks,
      onStreamLost: (stream, error) => adaptive?.handleStreamLost(stream, error) ?? false,
    });
    let adaptive: Awaited<ReturnType<typeof createAdaptiveStream<LabelledImage>>> | undefined;
    try {
      adaptive = await createAdaptiveStream<LabelledImage>(client, {
        candidates: candidates.map((candidate) => candidateFor(candidate, model.name, options)),
        ...{ deadlineMs: options.deadlineMs, framesPerSecond: options.fps },
        ...(hooks.onSwitch ? { onSwitch: hooks.onSwitch } : {}),
        onUnavailable: (name, error) => hooks.onNotice?.(`the server refuses ${name}: ${error.message}`),
      });
    } catch (error) {
      await client.close();
      throw error;
    }
    const stream = adaptive;
    const { deadlineMs, fps, mode, concealment = "", fec = "", interleave = "" } = options;
    const { shape, dtype } = candidates[0]!.part.spec;
    return {
      source: images.source,
      setup: {
        ...{ model: model.name, split: "", strategy: "auto", shape, dtype, codec: "", mode, concealment },
        ...{ fec, interleave, deadlineMs, fps, candidates: candidates.map(describeCandidate) },
      },
      send: ({ image }): Promise<AdaptiveOutcome> => stream.send(image),
      figures: client.figures,
      strategy: stream.figures,
      get lost() {
        return client.lost;
      },
      get missing() {
        return client.missing;
      },
      async close() {
        stream.close();
        await client.close();
        await closeParts();
        await images.close();
      },
    };
  } catch (error) {
    await closeParts();
    throw error;
  }
}

function describeCandidate({ name, strategy, part, codec, terms, worth }: ModelCandidate): SetupCandidate {
  return { name, strategy, split: part.split, codec, ...terms, worth };
}

function candidateFor(
  { name, strategy, part, codec, terms, worth }: ModelCandidate,
  model: string,
  options: StreamOptions,
): AdaptiveCandidate<LabelledImage> {
  const common = { name, terms, worth };
  if (strategy === "client") {
    const run = async (image: LabelledImage) => answerWith(await part.classifyHere(image));
    return { ...common, strategy, run };
  }
  const stream = tensorStreamOptions(model, part, codec, options);
  return { ...common, strategy, produce: part.produce, stream };
}

async function readProfile(path: string) {
  let text: string;
  try {
    text = await readFile(path, "utf8");
  } catch (cause) {
    throw new CliError(ExitCode.notFound, `--profile: ${path} cannot be read`, { cause });
  }
  return parseProfile(text, path);
}
