import type { sluice } from "@sluice/proto";
import {
  checkBundle,
  checkSpec,
  type Dtype,
  elementCount,
  type Layout,
  maxRank,
  type TensorSpec,
} from "@sluice/tensor";
import { ErrorCode, ProtocolError } from "./error-code.js";
import { parseFec } from "./fec/fec-options.js";
import { maxNameBytes } from "./limits.js";

/** How the tensors of a stream travel (spec 3.1). */
export type DeliveryMode = "datagram" | "stream" | "reliable";

/** How the payloads of results are written, and what models answer in them (spec 7.2). */
export type ResultFormat = "messagepack" | "json";
export type ResultContent = "model" | "predictions" | "tensors";

/** What both sides agree on when a tensor stream is opened. */
export interface TensorStreamOptions {
  readonly spec: TensorSpec;
  /** Name of the tensor at the cut; the model's input where it is empty. */
  readonly split: string;
  readonly model: string;
  /** Text form of the codec chain. */
  readonly codec: string;
  readonly mode: DeliveryMode;
  /** How long after its capture the result of a frame is useful, in milliseconds: 1 to 2^31 - 1. */
  readonly deadlineMs: number;
  /** Concealment method; empty leaves it to the server. */
  readonly concealment: string;
  /** SHA-256 of the statistics that the codec uses; empty for none. */
  readonly statisticsHash: Uint8Array;
  /** Text form of the forward error correction; empty for none. */
  readonly fec: string;
  /** Text form of what slices hold, which the codec reads; empty for contiguous. */
  readonly interleave: string;
  /** 0, the most urgent, to 7, as in RFC 9218. */
  readonly urgency: number;
  /** Number of the first frame; above 0 where the stream goes on for one of an earlier session. */
  readonly firstFrame: number;
  /** Share of a frame's units that is waited and asked for while they can be in time, 0 to 100. */
  readonly minReceivedPercent: number;
  /** What the server is asked for; its acceptance says what it does. */
  readonly resultFormat: ResultFormat;
  readonly resultContent: ResultContent;
  /** Bytes of the largest payload that comes on a QUIC stream of its own; 0: none comes so. */
  readonly maxResultBytes: number;
}

/** What a stream has unless it asks for something else. */
export const tensorStreamDefaults = {
  fec: "",
  interleave: "",
  /** RFC 9218 4.1 */
  urgency: 3,
  firstFrame: 0,
  minReceivedPercent: 0,
  resultFormat: "messagepack",
  resultContent: "model",
  maxResultBytes: 0,
} as const satisfies Partial<TensorStreamOptions>;

/** RFC 9218 4.1 */
const maxUrgency = 7;

/** Of the streams that send at once, each gets a share of the bytes in proportion to this (spec 3.6). */
export function streamWeight(urgency: number): number {
  return 2 ** (maxUrgency - urgency);
}

const wireDtypes: Readonly<Record<Dtype, number>> = { float32: 1, float16: 2, uint8: 3, int8: 4, int32: 5 };
const wireLayouts: Readonly<Record<Layout, number>> = { any: 0, chw: 1, hwc: 2 };
const wireModes: Readonly<Record<DeliveryMode, number>> = { datagram: 1, stream: 2, reliable: 3 };

const wireFormats: Readonly<Record<ResultFormat, number>> = { messagepack: 0, json: 1 };
const wireContents: Readonly<Record<ResultContent, number>> = { model: 0, predictions: 1, tensors: 2 };

export function resultFormatToWire(format: ResultFormat): number {
  return wireFormats[format];
}

/** One that is not known was not asked for: its payload will not be read. */
export function resultFormatFromWire(value: number): ResultFormat {
  return value === wireFormats.json ? "json" : "messagepack";
}

/** Of a spec that names the tensors of a bundle (spec 6.14); no tensor by itself has it. */
const wireBundle = 3;

function specToWire({ dtype, shape, layout, parts }: TensorSpec): sluice.v1.TensorSpec.$Properties {
  const own = { dtype: wireDtypes[dtype], shape: [...shape] };
  return parts
    ? { ...own, layout: wireBundle, parts: parts.map(specToWire) }
    : { ...own, layout: wireLayouts[layout] };
}

function specFromWire(message: sluice.v1.TensorSpec.$Properties | null | undefined): TensorSpec {
  return message?.layout === wireBundle
    ? { ...tensorFromWire({ ...message, layout: 0 }), parts: (message.parts ?? []).map(tensorFromWire) }
    : tensorFromWire(message);
}

/** Of one tensor: that what lies in a bundle is no bundle is seen here, where no name has its layout. */
function tensorFromWire(message: sluice.v1.TensorSpec.$Properties | null | undefined): TensorSpec {
  return {
    dtype: nameOf(wireDtypes, message?.dtype ?? 0, "dtype"),
    layout: nameOf(wireLayouts, message?.layout ?? 0, "layout"),
    shape: message?.shape ?? [],
  };
}

/** The message that opens a stream. */
export function openStreamToWire(
  stream: number,
  options: TensorStreamOptions,
): sluice.v1.OpenStream.$Properties {
  const { spec, split, model, codec, deadlineMs, concealment, statisticsHash } = options;
  const { fec, interleave, urgency, firstFrame, minReceivedPercent, maxResultBytes } = options;
  return {
    ...{ stream, split, model, codec, deadlineMs, concealment, statisticsHash },
    ...{ fec, interleave, firstFrame, minReceivedPercent, maxResultBytes },
    ...(urgency === tensorStreamDefaults.urgency ? {} : { urgency }),
    resultFormat: wireFormats[options.resultFormat],
    resultContent: wireContents[options.resultContent],
    mode: wireModes[options.mode],
    spec: { name: split, ...specToWire(spec) },
  };
}

/**
 * Reads an OpenStream message (spec 4.3).
 * @throws ProtocolError specMismatch or tensorTooLarge where the stream cannot be; it is rejected and the session
 *   goes on.
 */
export function openStreamFromWire(message: sluice.v1.OpenStream, maxElements: number): TensorStreamOptions {
  const { split, model, codec, concealment, deadlineMs, statisticsHash } = message;
  const { fec, interleave, firstFrame, minReceivedPercent, maxResultBytes } = message;
  const urgency = message.urgency ?? tensorStreamDefaults.urgency;
  const mode = nameOf(wireModes, message.mode, "mode");
  const spec = specFromWire(message.spec);
  for (const [field, text] of Object.entries({ split, model, codec, concealment, fec, interleave })) {
    if (text.length > maxNameBytes) {
      throw new ProtocolError(ErrorCode.specMismatch, `${field}: longer than ${maxNameBytes} characters`);
    }
  }
  if (deadlineMs < 1 || deadlineMs > 0x7fffffff) {
    throw new ProtocolError(ErrorCode.specMismatch, `deadline_ms: ${deadlineMs} is not in 1..2^31 - 1`);
  }
  if (urgency > maxUrgency || minReceivedPercent > 100) {
    throw new ProtocolError(
      ErrorCode.specMismatch,
      `urgency ${urgency} or min_received_percent ${minReceivedPercent}: at most ${maxUrgency} and 100`,
    );
  }
  // spec 5.8
  checkFec(fec, mode);
  if (spec.shape.length > maxRank) {
    throw new ProtocolError(
      ErrorCode.specMismatch,
      `shape: ${spec.shape.length} axes, at most ${maxRank} are allowed`,
    );
  }
  if (maxElements > 0 && elementCount(spec.shape) > maxElements) {
    throw new ProtocolError(
      ErrorCode.tensorTooLarge,
      `shape: [${spec.shape.join(", ")}] has ${elementCount(spec.shape)} elements, at most ${maxElements} are allowed`,
    );
  }
  try {
    checkSpec(spec);
    // spec 6.14
    checkBundle(spec);
  } catch (error) {
    throw new ProtocolError(ErrorCode.specMismatch, (error as Error).message);
  }
  return {
    ...{ spec, split, model, codec, mode, deadlineMs, concealment, statisticsHash },
    ...{ fec, interleave, urgency, firstFrame, minReceivedPercent, maxResultBytes },
    // spec 7.2: the acceptance tells the client which one it is.
    resultFormat: resultFormatFromWire(message.resultFormat),
    resultContent: nameOf(wireContents, message.resultContent, "result_content"),
  };
}

function checkFec(fec: string, mode: DeliveryMode): void {
  if (fec !== "" && mode !== "datagram")
    throw new ProtocolError(ErrorCode.unknownFec, `fec: ${fec} on a stream of mode ${mode}, not datagram`);
  try {
    parseFec(fec);
  } catch (error) {
    throw new ProtocolError(ErrorCode.unknownFec, (error as Error).message);
  }
}

function nameOf<Name extends string>(
  table: Readonly<Record<Name, number>>,
  value: number,
  field: string,
): Name {
  const found = (Object.keys(table) as Name[]).find((name) => table[name] === value);
  if (found === undefined)
    throw new ProtocolError(ErrorCode.specMismatch, `${field}: ${value} is not in the registry`);
  return found;
}
