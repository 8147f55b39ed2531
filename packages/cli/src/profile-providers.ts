/** `sluice profile --providers`: what each provider of onnxruntime makes of a network. */
import { compareProviders, type EngineOptions, type Model, type ProviderFigures } from "@sluice/inference";
import type { CliContext } from "./cli-context.js";
import { formatTable } from "./format-table.js";

/** Sizes of batches that times are told for. */
const batches = [1, 4, 16];

export interface ProvidersOptions {
  /** The part behind this cut; `undefined`: the whole network. */
  readonly split: string | undefined;
  readonly runs: number;
  readonly engine: EngineOptions;
  readonly json: boolean;
}

/** Prints how quick each provider is, how far from the processor's values, or why it cannot be had. */
export async function profileProviders(
  model: Model,
  { split, runs, engine, json }: ProvidersOptions,
  context: CliContext,
): Promise<void> {
  const network = split === undefined ? model.network : (await model.network.split(split)).tail;
  const figures = await compareProviders(network, {
    ...{ runs, batches, engine, signal: context.signal, now: () => performance.now() },
    onProgress(provider) {
      if (context.isTty) context.stderr.write(`\r\u001b[Kmeasuring ${provider}`);
    },
  });
  if (context.isTty) context.stderr.write("\r\u001b[K");
  if (json) {
    context.stdout.write(
      `${JSON.stringify({ model: model.name, split: split ?? "", providers: figures })}\n`,
    );
    return;
  }
  const part = split === undefined ? "the whole network" : `what comes after ${split}`;
  context.stdout.write(`${model.name}, ${part}, by what computes it; in ms\n\n${formatProviders(figures)}`);
}

function formatProviders(figures: readonly ProviderFigures[]): string {
  const sizes = figures[0]!.batches.map(({ frames }) => frames);
  const columns = [
    { title: "provider" },
    { title: "start", align: "right" },
    ...sizes.map(
      (frames) => ({ title: frames === 1 ? "one frame" : `${frames} at once`, align: "right" }) as const,
    ),
    { title: "differs by", align: "right" },
    { title: "" },
  ] as const;
  return formatTable(
    columns,
    figures.map(({ provider, obstacle, startMs, batches, difference }) =>
      obstacle === undefined
        ? [
            provider,
            startMs!.toFixed(0),
            ...batches.map(({ medianMs }) => medianMs.toFixed(2)),
            provider === "cpu" ? "" : difference!.toExponential(1),
          ]
        : [provider, "-", ...sizes.map(() => "-"), "-", obstacle],
    ),
  );
}
