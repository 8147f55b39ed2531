import type { ProviderChoice } from "@sluice/inference";
import { type CapturedStream, type OpenServedStream, runServedFrame } from "@sluice/server";
import { elementCount } from "@sluice/tensor";
import { CliError } from "./cli-error.js";
import { openClientHalf } from "./client-half.js";
import { ExitCode } from "./exit-codes.js";

export interface LosslessOptions {
  /** The image that was sent. */
  readonly image: string;
  readonly model?: string;
  readonly labels?: string;
  readonly threads?: number;
  readonly provider?: ProviderChoice;
}

/** The answer to an image whose tensor has come as it was made. */
export async function losslessAnswer(
  { options: stream }: CapturedStream,
  open: OpenServedStream,
  { image, model, labels, threads, provider }: LosslessOptions,
): Promise<unknown> {
  const half = await openClientHalf({
    ...{ model: model ?? stream.model, labels, threads, provider, source: [image] },
    ...{ split: stream.split || undefined, strategy: stream.split === "" ? "server" : "shared" },
    ...{ dtype: undefined, codec: undefined, seed: undefined, preprocess: undefined },
  });
  try {
    const { split, spec, resultContent: content, maxResultBytes } = stream;
    const opened = await open({ model: stream.model, split, spec, content, maxResultBytes });
    for await (const each of half.source) {
      const missing = new Uint8Array(elementCount(spec.shape));
      return await runServedFrame(opened, {
        ...{ tensor: await half.produce(each), context: { missing, missingCount: 0 } },
      });
    }
    throw new CliError(ExitCode.notFound, `--image: no image in ${image}`);
  } finally {
    await half.close();
  }
}
