import { parseCodec, type TensorDecoder } from "@sluice/codec";
import { needsStatistics, parseConcealmentMethod } from "@sluice/concealment";
import {
  createServerSession,
  defaultLimits,
  ErrorCode,
  type FrameAnswer,
  ProtocolError,
  type ReceivedFrame,
  type ServerEvent,
  type TensorStreamOptions,
} from "@sluice/protocol";
import { limitsFromWire } from "@sluice/protocol/wire";
import { TensorError } from "@sluice/tensor";
import { fromHex, toHex } from "../vectors/plain-form.js";
import { type MutableOutput, noteClosed, type ScriptedSide, type ScriptOptions } from "./scripted-side.js";

/** MessagePack of `true`. */
const answerPayload = Uint8Array.of(0xc3);

/** MessagePack of bytes, in so many bytes together. */
function largeAnswer(bytes: number): Uint8Array {
  const payload = new Uint8Array(bytes);
  payload[0] = 0xc6;
  new DataView(payload.buffer).setUint32(1, bytes - 5);
  return payload;
}

const noStages = { decode: 0, conceal: 0, queue: 0, inference: 0 };

/** What a server without statistics says to a stream for its one model, `sink`, which takes every shape. */
function openDecoder(options: TensorStreamOptions): TensorDecoder {
  const { model, split, codec, concealment, spec, statisticsHash } = options;
  if (model !== "sink") throw new ProtocolError(ErrorCode.unknownModel, `no model ${model}`);
  if (split !== "") throw new ProtocolError(ErrorCode.unknownSplit, `no split ${split}`);
  if (statisticsHash.length > 0) throw new ProtocolError(ErrorCode.statisticsMismatch, "no statistics here");
  try {
    if (concealment !== "" && needsStatistics(parseConcealmentMethod(concealment)))
      throw new ProtocolError(ErrorCode.statisticsMismatch, `${concealment} needs statistics`);
  } catch (error) {
    if (!(error instanceof TensorError)) throw error;
    throw new ProtocolError(ErrorCode.specMismatch, error.message);
  }
  try {
    return parseCodec(codec).createDecoder(spec);
  } catch (error) {
    if (!(error instanceof TensorError)) throw error;
    throw new ProtocolError(ErrorCode.unknownCodec, error.message);
  }
}

/** A server's core and an application that answers every frame with `true`. */
export function createScriptedServer(options: ScriptOptions): ScriptedSide {
  const { millihertz = defaultLimits.framesPerSecond * 1_000, ...own } = options.limits ?? {};
  const { token } = options;
  const core = createServerSession(
    {
      agent: "vectors",
      limits: limitsFromWire({ ...defaultLimits, ...own, millihertz: Number(millihertz) }),
      ...(token === undefined ? {} : { authorize: (shown: Uint8Array) => toHex(shown) === token }),
    },
    0,
  );
  const payload = options.answerBytes === undefined ? answerPayload : largeAnswer(options.answerBytes);
  const decoders = new Map<number, TensorDecoder>();
  const waiting: { readonly atMs: number; readonly run: (nowMs: number) => void }[] = [];

  function after(delayMs: number, nowMs: number, run: (nowMs: number) => void): void {
    waiting.push({ atMs: nowMs + delayMs, run });
  }

  function answerStream(stream: number, wanted: TensorStreamOptions): void {
    try {
      const decoder = openDecoder(wanted);
      decoders.set(stream, decoder);
      core.acceptStream(stream, decoder.units, wanted.concealment === "" ? "zero" : wanted.concealment);
    } catch (error) {
      if (!(error instanceof ProtocolError)) throw error;
      core.rejectStream(stream, error.code, error.message);
    }
  }

  function answerFrame(frame: ReceivedFrame, nowMs: number): void {
    const partial = decoders.get(frame.stream)!.begin(frame.frame);
    for (const slice of frame.slices) partial.add(slice.index, slice.count, slice.payload);
    const { missingCount } = partial.finish();
    const answer: FrameAnswer =
      missingCount === frame.units
        ? {
            ...{ outcome: "undecodable", code: ErrorCode.nothingDecodable, stages: noStages },
            ...{ elements: 0, concealedElements: 0, payload: new Uint8Array(0) },
          }
        : {
            ...{ outcome: "done", stages: noStages, elements: frame.units },
            ...{ concealedElements: missingCount, payload },
          };
    core.answer(frame, answer, nowMs);
  }

  function handleEvent(event: ServerEvent, nowMs: number, output: MutableOutput): void {
    if (event.type === "closed") noteClosed(output, event.code);
    if (event.type === "stream-requested")
      after(options.acceptAfterMs ?? 0, nowMs, () => answerStream(event.stream, event.options));
    if (event.type === "frame")
      after(options.answerAfterMs ?? 0, nowMs, (at) => answerFrame(event.frame, at));
  }

  return {
    handleControl: core.handleControl,
    handleDatagram: core.handleDatagram,
    handleTimeout: core.handleTimeout,
    setMaxDatagramBytes: core.setMaxDatagramBytes,
    pollControl: core.pollControl,
    pollDatagram: core.pollDatagram,
    pollStream: () => core.pollResult()?.bytes,
    progress(nowMs, output) {
      const event = core.pollEvent();
      if (event) handleEvent(event, nowMs, output);
      const due = waiting.findIndex(({ atMs }) => atMs <= nowMs);
      const [action] = due < 0 ? [] : waiting.splice(due, 1);
      action?.run(nowMs);
      return event !== undefined || action !== undefined;
    },
    act(input, nowMs) {
      const { stream, hex, end } = input;
      if (typeof stream !== "number") throw new TypeError(`no such step: ${JSON.stringify(input)}`);
      if (typeof hex === "string" && hex !== "") core.handleTensorStream(stream, fromHex(hex), nowMs);
      if (end === true) core.handleTensorStream(stream, undefined, nowMs);
    },
  };
}
