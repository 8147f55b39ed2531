import { type DeliveredFrame, type StrategySwitch, sendFrames } from "@sluice/client";
import { type SinkAnswer, tensorChecksum } from "@sluice/server";
import { openAdaptiveSender } from "./adaptive-sender.js";
import { openFixedSender } from "./fixed-sender.js";
import { paceImages } from "./pace-images.js";
import { createStrategyPhases, type StrategyPhases } from "./strategy-phases.js";
import type { PacedImage, Sender, StreamHooks, StreamOptions, StreamReport } from "./stream-api.js";
import { createStreamOutputs } from "./stream-outputs.js";
import { createStreamResults } from "./stream-results.js";
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
  const outputs = await createStreamOutputs(options.saveOutputs);
  const results = await createStreamResults(options.results);
  const startMs = performance.now();
  const summary = () => statistics.summary(sender.figures(), (performance.now() - startMs) / 1_000);
  const ending = new AbortController();
  const end = () => ending.abort();
  hooks.signal.addEventListener("abort", end);
  if (hooks.signal.aborted) end();
  const progress = setInterval(() => {
    hooks.onProgress?.(summary());
    // What is lost is seen also while no image comes.
    if (sender.lost) end();
  }, progressIntervalMs);
  try {
    const images = paceImages(sender.source, options, ending.signal);
    for await (const { frame, outcome } of sendFrames(images, sender, { maxInFlight })) {
      if (sender.lost) end();
      statistics.add(outcome, frame.offeredSeconds);
      hooks.onFrame?.(outcome);
      phases?.add(outcome);
      await results.add(frame.image.name, frame.image.label, outcome);
      if (outcome.status !== "delivered") continue;
      judge(frame, outcome);
      await outputs.add(outcome.frame, outcome.answer);
    }
  } finally {
    clearInterval(progress);
    hooks.signal.removeEventListener("abort", end);
    await results.close();
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
  return {
    ...{ setup: sender.setup, summary: summary(), outputs: outputs.first },
    ...{ phases: phases?.phases, sessions, lost: sender.missing },
  };
}
