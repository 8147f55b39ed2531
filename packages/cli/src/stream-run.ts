import { type DeliveredFrame, type StrategySwitch, sendFrames } from "@sluice/client";
import type { LabelledImage } from "@sluice/inference";
import { type SinkAnswer, tensorChecksum } from "@sluice/server";
import { openAdaptiveSender } from "./adaptive-sender.js";
import { openFixedSender } from "./fixed-sender.js";
import { createStrategyPhases, type StrategyPhases } from "./strategy-phases.js";
import type { PacedImage, Sender, StreamHooks, StreamOptions, StreamReport } from "./stream-api.js";
import { createStreamStatistics } from "./stream-statistics.js";

/** Progress is told so often. */
const progressIntervalMs = 500;

/** Frames under way at most; the session's own limits are far below. */
const maxInFlight = 4_096;

/** Streams images at a steady rate and reports what became of every frame. */
export async function runStream(options: StreamOptions, hooks: StreamHooks): Promise<StreamReport> {
  const phases = options.strategy === "auto" ? createStrategyPhases() : undefined;
  let startMs: number | undefined;
  const onSwitch = (change: StrategySwitch) => {
    phases?.begin(change, startMs === undefined ? 0 : (performance.now() - startMs) / 1_000);
    hooks.onSwitch?.(change);
  };
  const sender = await openSender(options, { ...hooks, onSwitch });
  try {
    hooks.onStart?.(sender.setup, sender);
    startMs = performance.now();
    return await pace(sender, options, hooks, phases);
  } finally {
    await sender.close();
  }
}

function openSender(options: StreamOptions, hooks: StreamHooks): Promise<Sender> {
  const { strategy } = options;
  return strategy === "auto"
    ? openAdaptiveSender(options, hooks)
    : openFixedSender({ ...options, strategy }, hooks);
}

async function pace(
  sender: Sender,
  options: StreamOptions,
  hooks: StreamHooks,
  phases: StrategyPhases | undefined,
): Promise<StreamReport> {
  const statistics = createStreamStatistics();
  const startMs = performance.now();
  const summary = () => statistics.summary(sender.figures(), (performance.now() - startMs) / 1_000);
  const progress = setInterval(() => hooks.onProgress?.(summary()), progressIntervalMs);
  try {
    const images = paced(sender, options, hooks.signal);
    for await (const { frame, outcome } of sendFrames(images, sender, { maxInFlight })) {
      statistics.add(outcome, frame.offeredSeconds);
      hooks.onFrame?.(outcome);
      phases?.add(outcome);
      if (outcome.status === "delivered") judge(frame, outcome);
    }
  } finally {
    clearInterval(progress);
  }

  function judge(
    { image: { image, label }, offeredSeconds }: PacedImage,
    { answer, onTime }: DeliveredFrame,
  ): void {
    if (options.model === "sink") {
      const { checksum, receivedFraction } = answer as SinkAnswer;
      const isWhole = receivedFraction === 1 && options.codec === undefined;
      if (isWhole && checksum !== tensorChecksum(image)) statistics.addCorrupt();
      return;
    }
    const { predictions } = answer as { predictions?: readonly { readonly name: string }[] };
    if (label === undefined || !predictions) return;
    statistics.addPrediction(Number(predictions[0]?.name) === label, onTime, offeredSeconds);
  }

  const { sessions } = sender.figures();
  return { setup: sender.setup, summary: summary(), phases: phases?.phases, sessions, lost: sender.missing };
}

/** The source's images at a steady rate, whatever becomes of the earlier ones, as a camera gives them. */
async function* paced(
  sender: Sender,
  { fps, frames = Number.POSITIVE_INFINITY, durationSeconds }: StreamOptions,
  signal: AbortSignal,
): AsyncGenerator<PacedImage> {
  const intervalMs = 1_000 / fps;
  const most = Math.min(frames, durationSeconds === undefined ? frames : Math.round(durationSeconds * fps));
  const startMs = performance.now();
  let offered = 0;
  for await (const image of repeat(sender.source)) {
    if (offered >= most) return;
    await sleepUntil(startMs + offered * intervalMs, signal);
    if (signal.aborted || sender.lost) return;
    offered++;
    yield { image, offeredSeconds: (performance.now() - startMs) / 1_000 };
  }
}

async function* repeat(source: AsyncIterable<LabelledImage>): AsyncGenerator<LabelledImage> {
  for (;;) {
    let any = false;
    for await (const image of source) {
      any = true;
      yield image;
    }
    if (!any) return;
  }
}

function sleepUntil(atMs: number, signal: AbortSignal): Promise<void> {
  const delayMs = atMs - performance.now();
  if (delayMs <= 0 || signal.aborted) return Promise.resolve();
  return new Promise((resolve) => {
    const done = () => {
      clearTimeout(timer);
      signal.removeEventListener("abort", done);
      resolve();
    };
    const timer = setTimeout(done, delayMs);
    signal.addEventListener("abort", done);
  });
}
