import type { TensorEncoder } from "@sluice/codec";
import { defaultCodec, formatInterleaving, parseInterleaving, prepareCodec } from "@sluice/codec/prepare";
import {
  type DeliveryMode,
  defaultLimits,
  formatFec,
  maxResultStreamBytes,
  parseFec,
  type ResultContent,
  type ResultFormat,
  type TensorStreamOptions,
  tensorStreamDefaults,
} from "@sluice/protocol";
import type { TensorSpec } from "@sluice/tensor";
import type { OpenStreamOptions } from "./client-api.js";
import { type AnswerReader, loadAnswerReader } from "./read-answer.js";

/** What a stream is to be, with every default filled in. */
export interface StreamPlan {
  readonly encoder: TensorEncoder;
  /** As it is asked for on the wire. */
  readonly wire: TensorStreamOptions;
  readonly readAnswer: AnswerReader;
}

// Without TypeScript anything comes, and the wire would take what it does not know for something else.
const modes: readonly DeliveryMode[] = ["datagram", "stream", "reliable"];
const resultFormats: readonly ResultFormat[] = ["messagepack", "json"];
const resultContents: readonly ResultContent[] = ["model", "predictions", "tensors"];
const maxDeadlineMs = 2 ** 31 - 1;

/**
 * @throws RangeError naming the option that has no such value; TensorError or RangeError where the codec, `fec` or
 *   `interleave` cannot be read, not be loaded or not be made for the spec
 */
export async function planStream(options: OpenStreamOptions, hasDatagrams: boolean): Promise<StreamPlan> {
  const { spec, statistics, model, split = "", deadlineMs = 150, concealment = "" } = options;
  const [codec, readAnswer] = await Promise.all([
    prepareCodec(options.codec ?? suitedCodec(spec), { isBundle: spec.parts !== undefined }),
    loadAnswerReader(),
  ]);
  const wanted = options.mode ?? "datagram";
  checkChoice("mode", wanted, modes);
  if (!(deadlineMs >= 1 && deadlineMs <= maxDeadlineMs)) {
    throw new RangeError(`deadlineMs must be a number of milliseconds from 1 to 2^31 - 1, got ${deadlineMs}`);
  }
  const mode = wanted === "datagram" && !hasDatagrams ? "stream" : wanted;
  const fec = parseFec(options.fec ?? "");
  if (fec && wanted !== "datagram")
    throw new RangeError(`fec: only the mode datagram has it, and ${wanted} is asked for`);
  const preferred = mode === "datagram" ? codec.preferredInterleaving(spec) : "";
  const interleave = formatInterleaving(parseInterleaving(options.interleave ?? preferred));
  const { maxResultBytes } = defaultLimits;
  const all = { ...tensorStreamDefaults, maxResultBytes, ...options };
  const { urgency, minReceivedPercent, firstFrame, resultFormat, resultContent } = all;
  checkChoice("resultFormat", resultFormat, resultFormats);
  checkChoice("resultContent", resultContent, resultContents);
  checkRange("urgency", urgency, 7);
  checkRange("minReceivedPercent", minReceivedPercent, 100);
  checkRange("firstFrame", firstFrame, 0xffffffff);
  checkRange("maxResultBytes", all.maxResultBytes, maxResultStreamBytes);
  return {
    readAnswer,
    encoder: codec.createEncoder(spec, statistics?.value, interleave),
    wire: {
      ...tensorStreamDefaults,
      ...{ spec, model, split, codec: codec.text, deadlineMs, concealment, urgency, minReceivedPercent },
      ...{ mode, fec: fec && mode === "datagram" ? formatFec(fec) : "" },
      ...{ resultFormat, resultContent, maxResultBytes: all.maxResultBytes },
      ...{ interleave, firstFrame, statisticsHash: statistics?.hash ?? new Uint8Array(0) },
    },
  };
}

/** Of a bundle each tensor of floats is coded so, and the others as they are (spec 6.14). */
function suitedCodec(spec: TensorSpec): string {
  const hasFloats = (spec.parts ?? [spec]).some(({ dtype }) => dtype === "float32");
  return hasFloats ? defaultCodec : "raw";
}

function checkRange(field: string, value: number, max: number): void {
  if (!Number.isInteger(value) || value < 0 || value > max) {
    throw new RangeError(`${field} must be a whole number from 0 to ${max}, got ${value}`);
  }
}

function checkChoice<T extends string>(field: string, value: T, known: readonly T[]): void {
  if (!known.includes(value)) {
    throw new RangeError(`${field} must be one of ${known.join(", ")}, got ${JSON.stringify(value)}`);
  }
}
