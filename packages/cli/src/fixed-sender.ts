/** Sends by one strategy from the start to the end. */
import { ClientError, type FrameOutcome, type TensorStream } from "@sluice/client";
import type { LabelledImage } from "@sluice/inference";
import { ErrorCode, type Strategy } from "@sluice/protocol";
import { type ClientHalf, openClientHalf } from "./client-half.js";
import type { Sender, StreamHooks, StreamOptions, StreamSetup } from "./stream-api.js";
import { openStreamClient } from "./stream-client.js";
import { tensorStreamOptions } from "./tensor-stream-options.js";

/** Frames that a client that runs the whole network by itself may have under way. */
const maxLocalFrames = 2;

type FixedOptions = StreamOptions & { readonly strategy: Strategy };

/** @throws ModelError, EngineError, TensorError, ConnectError, ClientError */
export async function openFixedSender(options: FixedOptions, hooks: StreamHooks): Promise<Sender> {
  const half = await openClientHalf({ ...options, onNotice: hooks.onNotice });
  try {
    return options.strategy === "client"
      ? localSender(half, options)
      : await remoteSender(half, options, hooks);
  } catch (error) {
    await half.close();
    throw error;
  }
}

async function remoteSender(half: ClientHalf, options: FixedOptions, hooks: StreamHooks): Promise<Sender> {
  const client = await openStreamClient(options, hooks);
  let stream: TensorStream;
  try {
    const { deadlineMs } = options;
    const streamOptions = tensorStreamOptions(half.model, half, half.codec, options);
    stream = await client.openStream({ ...streamOptions, deadlineMs });
  } catch (error) {
    await client.close();
    throw withAdvice(error);
  }
  return {
    source: half.source,
    setup: describe(half, options, stream),
    send: ({ image }) => stream.send(() => half.produce(image)),
    figures: client.figures,
    get lost() {
      return client.lost;
    },
    get missing() {
      return client.missing;
    },
    async close() {
      await client.close();
      await half.close();
    },
  };
}

function withAdvice(error: unknown): unknown {
  if (!(error instanceof ClientError) || error.code !== ErrorCode.unknownModel) return error;
  const message = `${error.message}; --model NAME=MODEL asks for it by another name`;
  return new ClientError(error.kind, error.code, message);
}

/** What a network that ran here says, as a server would. @param label of the best class; `undefined`: there is none */
export function answerWith(label: number | undefined) {
  return { predictions: label === undefined ? [] : [{ name: String(label) }] };
}

function localSender(half: ClientHalf, options: FixedOptions): Sender {
  let running = 0;

  async function send(image: LabelledImage): Promise<FrameOutcome> {
    const startMs = performance.now();
    if (running >= maxLocalFrames) return { status: "dropped", reason: "in-flight" };
    running++;
    const label = await half.classifyHere(image).finally(() => running--);
    const latencyMs = performance.now() - startMs;
    return {
      ...{ status: "delivered", frame: 0, latencyMs, onTime: latencyMs <= options.deadlineMs, bytes: 0 },
      ...{ answer: answerWith(label), concealedFraction: 0 },
      ...{ slicesReceived: 0, slicesRecovered: 0, sendQueueMs: 0 },
      timings: {
        ...{ produce: latencyMs, encode: 0, reassembly: 0, decode: 0 },
        ...{ conceal: 0, queue: 0, inference: 0, network: 0 },
      },
    };
  }

  return {
    source: half.source,
    setup: describe(half, options, { codec: "", mode: "none", fec: "", interleave: "", concealment: "" }),
    send: ({ image }) => send(image),
    figures: () => ({ bytesSent: 0, bytesDelivered: 0, rttMs: undefined, sessions: 0 }),
    ...{ lost: undefined, missing: undefined },
    close: () => half.close(),
  };
}

function describe(
  half: ClientHalf,
  options: FixedOptions,
  stream: Pick<StreamSetup, "codec" | "mode" | "fec" | "interleave" | "concealment">,
): StreamSetup {
  const { codec, mode, fec, interleave, concealment } = stream;
  return {
    ...{ model: half.model, split: half.split, strategy: half.strategy },
    ...{ shape: half.spec.shape, dtype: half.spec.dtype, codec, mode, fec, interleave },
    ...(half.spec.parts ? { parts: half.spec.parts } : {}),
    ...{ concealment, deadlineMs: options.deadlineMs, fps: options.fps },
  };
}
