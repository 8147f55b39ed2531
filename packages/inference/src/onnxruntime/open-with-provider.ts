/** Finding what onnxruntime computes a network with; runs in the worker thread. */
import { readdirSync } from "node:fs";
import type * as Ort from "onnxruntime-node";
import { messageOf } from "../worker-engine/message-of.js";
import { adviceFor, automaticProviders, type OnnxProvider, obstacleOf } from "./providers.js";
import type { ThreadLock } from "./thread-lock.js";
import { canTime, isQuicker, timeZeros } from "./time-zeros.js";
import type { OnnxWorkerSettings } from "./worker-settings.js";

/** A network ready to run, with what computes it. */
export interface ProvidedSession {
  readonly provider: OnnxProvider;
  readonly session: Ort.InferenceSession;
  readonly log: readonly string[];
  run(feeds: Record<string, Ort.Tensor>, names: readonly string[]): Promise<Ort.InferenceSession.ReturnType>;
  release(): Promise<void>;
}

/** The provider that was asked for cannot be had; the message names the option. */
export class ProviderError extends Error {
  override readonly name = "ProviderError";
}

type OpenSettings = Pick<
  OnnxWorkerSettings,
  "model" | "provider" | "graphOptimization" | "threads" | "batches"
>;

/**
 * @throws ProviderError where the provider cannot be had
 * @throws Error where onnxruntime refuses the model
 */
export async function openWithProvider(
  ort: typeof Ort,
  settings: OpenSettings,
  lock: ThreadLock,
): Promise<ProvidedSession> {
  // What a provider lacks is told once, in our words. The first thread decides for the process.
  if (ort.env !== undefined) ort.env.logLevel = "fatal";
  const open = (provider: OnnxProvider) => openSession(ort, provider, settings, lock);
  const { provider } = settings;
  if (provider === "auto") return openQuickest(ort, open, settings.batches);
  if (!isSupported(ort, provider)) {
    const has = ort.listSupportedBackends().map(({ name }) => name);
    throw new ProviderError(
      `provider: ${provider} cannot be had: this onnxruntime has only ${has.join(", ")}`,
    );
  }
  try {
    return await open(provider);
  } catch (error) {
    if (provider === "cpu") throw error;
    // Where the processor does not take it either, the model is to blame, and that error tells more.
    await (await open("cpu")).release();
    const advice = adviceFor(provider, process.platform);
    throw new ProviderError(`provider: ${provider} cannot be had: ${firstLine(error)}${advice}`, {
      cause: error,
    });
  }
}

async function openSession(
  ort: typeof Ort,
  provider: OnnxProvider,
  { model, graphOptimization, threads }: OpenSettings,
  lock: ThreadLock,
): Promise<ProvidedSession> {
  // Sessions of WebGPU share one device and its caches, which take one thread at a time: onnxruntime crashes else.
  const guard = provider === "webgpu" ? lock.hold : <T>(use: () => Promise<T>) => use();
  const session = await guard(() =>
    ort.InferenceSession.create(model, {
      executionProviders: [provider],
      graphOptimizationLevel: graphOptimization,
      intraOpNumThreads: threads,
      interOpNumThreads: 1,
      logSeverityLevel: 4,
    }),
  );
  return {
    ...{ provider, session, log: [`onnxruntime: provider ${provider}`] },
    run: (feeds, names) => guard(() => session.run(feeds, names)),
    release: () => guard(() => session.release()),
  };
}

/** Opens what can be had, times each, and keeps the quickest. @throws what the processor throws */
async function openQuickest(
  ort: typeof Ort,
  open: (provider: OnnxProvider) => Promise<ProvidedSession>,
  batches: readonly number[],
): Promise<ProvidedSession> {
  const said: string[] = [];
  let best: { readonly opened: ProvidedSession; readonly times: ReadonlyMap<number, number> } | undefined;
  for (const provider of automaticProviders) {
    // What this onnxruntime was built without is not worth a word.
    if (!isSupported(ort, provider)) continue;
    const obstacle = obstacleOf(provider, process.platform, deviceNames);
    if (obstacle !== undefined) {
      said.push(`${provider}: ${obstacle}`);
      continue;
    }
    let opened: ProvidedSession | undefined;
    try {
      opened = await open(provider);
      // Nothing to compare it with: the last one need not be timed.
      const alone = best === undefined && provider === "cpu";
      const times = alone || !canTime(opened.session) ? untimed : await timeZeros(ort, opened, batches);
      if (times.size > 0) said.push(`${provider}: ${tellTimes(times)}`);
      const loses = best !== undefined && !isQuicker(times, best.times);
      if (loses) {
        await opened.release();
      } else {
        await best?.opened.release();
        best = { opened, times };
      }
    } catch (error) {
      await opened?.release().catch(() => {});
      if (provider === "cpu" && best === undefined) throw error;
      said.push(`${provider}: ${firstLine(error)}`);
    }
  }
  const { opened } = best!;
  return { ...opened, log: [`onnxruntime: provider ${opened.provider} (${said.join("; ")})`] };
}

const untimed: ReadonlyMap<number, number> = new Map();

function tellTimes(times: ReadonlyMap<number, number>): string {
  return [...times]
    .map(([batch, ms]) => `${ms.toFixed(2)} ms a sample${batch === 1 ? "" : ` in batches of ${batch}`}`)
    .join(", ");
}

/** Whether this onnxruntime was built with it; older ones do not tell. */
function isSupported(ort: typeof Ort, provider: OnnxProvider): boolean {
  return provider === "cpu" || (ort.listSupportedBackends?.().some(({ name }) => name === provider) ?? true);
}

function deviceNames(): string[] {
  return ["/dev", "/dev/dri"].flatMap((path) => {
    try {
      return readdirSync(path);
    } catch {
      return [];
    }
  });
}

/** Without the place in onnxruntime's source, which tells users nothing. */
function firstLine(error: unknown): string {
  const line =
    messageOf(error)
      .split("\n")
      .find((part) => part.trim() !== "") ?? "it does not start";
  return line
    .replace(/^\S*onnxruntime_src\S* .* was false\. /, "")
    .replace(/^OrtSessionOptionsAppendExecutionProvider_\w+: /, "")
    .trim();
}
