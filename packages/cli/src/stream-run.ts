import type { FrameOutcome, SessionEnd, TensorStream } from "@sluice/client";
import type { LabelledImage } from "@sluice/inference";
import type { DeliveryMode } from "@sluice/protocol";
import { type SinkAnswer, tensorChecksum } from "@sluice/server";
import type { Tensor } from "@sluice/tensor";
import { type ClientHalf, type ClientHalfOptions, openClientHalf } from "./client-half.js";
import { type ConnectionHooks, openStreamClient, type StreamClientOptions } from "./stream-client.js";
import { createStreamStatistics, type SessionFigures, type StreamSummary } from "./stream-statistics.js";

export interface StreamOptions extends ClientHalfOptions, StreamClientOptions {
  readonly mode: DeliveryMode;
  readonly fps: number;
  /** Whichever comes first ends the run. */
  readonly frames: number | undefined;
  readonly durationSeconds: number | undefined;
  readonly deadlineMs: number;
  readonly concealment: string | undefined;
  /** 0 to 7; 3 where it is not said. */
  readonly urgency: number | undefined;
  readonly minReceivedPercent: number | undefined;
  /** Text form of the forward error correction. */
  readonly fec: string | undefined;
}

/** What a run was made with, as it turned out. */
export interface StreamSetup {
  readonly model: string;
  readonly split: string;
  readonly strategy: string;
  readonly shape: readonly number[];
  readonly dtype: string;
  readonly codec: string;
  readonly mode: string;
  readonly concealment: string;
  readonly deadlineMs: number;
  readonly fps: number;
}

export interface StreamReport {
  readonly setup: StreamSetup;
  readonly summary: StreamSummary;
  /** Sessions that were opened. */
  readonly sessions: number;
  /** Why there was no session at the end of the run; `undefined` where there was. */
  readonly lost: SessionEnd | undefined;
}

/** `signal` ends the run early and cleanly. */
export interface StreamHooks extends ConnectionHooks {
  onStart?(setup: StreamSetup): void;
  /** Called about twice a second. */
  onProgress?(summary: StreamSummary): void;
}

/** Progress is told so often. */
const progressIntervalMs = 500;
/** Frames that a client that runs the whole network by itself may have under way. */
const maxLocalFrames = 2;

/** Something that takes an image in and tells what became of it. */
interface Sender {
  readonly setup: StreamSetup;
  send(image: LabelledImage): Promise<FrameOutcome>;
  figures(): SessionFigures & { readonly sessions: number };
  /** Why nothing more can be sent. */
  readonly lost: SessionEnd | undefined;
  /** Why nothing can be sent now. */
  readonly missing: SessionEnd | undefined;
  close(): Promise<void>;
}

/** Streams images at a steady rate and reports what became of every frame. */
export async function runStream(options: StreamOptions, hooks: StreamHooks): Promise<StreamReport> {
  const half = await openClientHalf(options);
  try {
    const sender =
      options.strategy === "client"
        ? createLocalSender(half, options)
        : await openSender(half, options, hooks);
    try {
      hooks.onStart?.(sender.setup);
      return await pace(sender, half, options, hooks);
    } finally {
      await sender.close();
    }
  } finally {
    await half.close();
  }
}

async function openSender(half: ClientHalf, options: StreamOptions, hooks: StreamHooks): Promise<Sender> {
  const client = await openStreamClient(options, hooks);
  let stream: TensorStream;
  try {
    const { mode, deadlineMs, concealment = "", urgency, minReceivedPercent, fec = "" } = options;
    stream = await client.openStream({
      ...{ model: half.model, split: half.split, spec: half.spec, codec: half.codec },
      ...{ mode, fec, deadlineMs, concealment },
      ...(urgency === undefined ? {} : { urgency }),
      ...(minReceivedPercent === undefined ? {} : { minReceivedPercent }),
      ...(half.statistics ? { statistics: half.statistics } : {}),
    });
  } catch (error) {
    await client.close();
    throw error;
  }
  return {
    setup: describe(half, options, stream),
    send: (image) => stream.send(() => half.produce(image)),
    figures: client.figures,
    get lost() {
      return client.lost;
    },
    get missing() {
      return client.missing;
    },
    close: client.close,
  };
}

function createLocalSender(half: ClientHalf, options: StreamOptions): Sender {
  let running = 0;
  return {
    setup: describe(half, options, { codec: "", mode: "none", concealment: "" }),
    async send(image) {
      const startMs = performance.now();
      if (running >= maxLocalFrames) return { status: "dropped", reason: "in-flight" };
      running++;
      const label = await half.classifyHere(image).finally(() => running--);
      const latencyMs = performance.now() - startMs;
      const nothing = { encode: 0, reassembly: 0, decode: 0, conceal: 0, queue: 0, inference: 0, network: 0 };
      return {
        ...{
          status: "delivered",
          frame: 0,
          latencyMs,
          onTime: latencyMs <= options.deadlineMs,
          concealedFraction: 0,
          bytes: 0,
        },
        ...{ answer: { predictions: [{ name: String(label) }] }, slicesReceived: 0, slicesRecovered: 0 },
        timings: { produce: latencyMs, ...nothing },
      };
    },
    figures: () => ({ bytesSent: 0, bytesDelivered: 0, rttMs: undefined, sessions: 0 }),
    ...{ lost: undefined, missing: undefined },
    async close() {},
  };
}

function describe(
  half: ClientHalf,
  options: StreamOptions,
  stream:
    | Pick<TensorStream, "codec" | "mode" | "concealment">
    | { codec: string; mode: string; concealment: string },
): StreamSetup {
  return {
    ...{ model: half.model, split: half.split, strategy: half.strategy },
    ...{ shape: half.spec.shape, dtype: half.spec.dtype, codec: stream.codec, mode: stream.mode },
    ...{ concealment: stream.concealment, deadlineMs: options.deadlineMs, fps: options.fps },
  };
}

/** Offers an image at every tick, whatever became of the earlier ones, as a camera does. */
async function pace(
  sender: Sender,
  half: ClientHalf,
  options: StreamOptions,
  hooks: StreamHooks,
): Promise<StreamReport> {
  const { signal } = hooks;
  const statistics = createStreamStatistics();
  const intervalMs = 1_000 / options.fps;
  const maxFrames = Math.min(
    options.frames ?? Number.POSITIVE_INFINITY,
    options.durationSeconds === undefined
      ? Number.POSITIVE_INFINITY
      : Math.round(options.durationSeconds * options.fps),
  );
  const pending = new Set<Promise<void>>();
  const startMs = performance.now();
  const summary = () => statistics.summary(sender.figures(), (performance.now() - startMs) / 1_000);
  const progress = setInterval(() => hooks.onProgress?.(summary()), progressIntervalMs);
  let failure: unknown;

  async function handle(image: LabelledImage): Promise<void> {
    let sent: Tensor | undefined;
    if (half.model === "sink") sent = image.image;
    const outcome = await sender.send(image);
    statistics.add(outcome);
    if (outcome.status !== "delivered") return;
    if (sent) {
      const { checksum, receivedFraction } = outcome.answer as SinkAnswer;
      const isWhole = receivedFraction === 1 && options.codec === undefined;
      if (isWhole && checksum !== tensorChecksum(sent)) statistics.addCorrupt();
      return;
    }
    const { predictions } = outcome.answer as { predictions: readonly { readonly name: string }[] };
    if (image.label !== undefined) statistics.addPrediction(Number(predictions[0]?.name) === image.label);
  }

  try {
    let offered = 0;
    for await (const image of repeat(half.source)) {
      if (offered >= maxFrames) break;
      await sleepUntil(startMs + offered * intervalMs, signal);
      if (signal.aborted || sender.lost || failure) break;
      offered++;
      const frame = handle(image).catch((error) => {
        failure ??= error;
      });
      pending.add(frame);
      void frame.then(() => pending.delete(frame));
    }
    await Promise.all(pending);
  } finally {
    clearInterval(progress);
  }
  if (failure) throw failure;
  const { sessions } = sender.figures();
  return { setup: sender.setup, summary: summary(), sessions, lost: sender.missing };
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
