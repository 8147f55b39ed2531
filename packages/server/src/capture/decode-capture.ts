import { sluice } from "@sluice/proto";
import { defaultLimits, maxResultStreamBytes, openStreamFromWire } from "@sluice/protocol";
import { elementCount } from "@sluice/tensor";
import { Unpackr } from "msgpackr";
import {
  type CapturedFrame,
  type CapturedReference,
  type CapturedSlice,
  type CapturedStream,
  type CapturedTensor,
  captureOutcomes,
  captureVersion,
  type ReceiverState,
} from "./capture-record.js";
import {
  type Fields,
  readBytes,
  readFields,
  readInteger,
  readList,
  readNumber,
  readText,
} from "./record-fields.js";

/** A file is no capture, or what it says cannot be. The message names the field. */
export class CaptureError extends Error {
  override readonly name = "CaptureError";
}

/** Bounds of what one frame may claim; what servers receive stays below. */
const maxSlices = 1 << 16;
const maxReferences = 64;
const maxRefusalLength = 32;
const hashBytes = 32;
const maxFrame = 0xffffffff;
const maxOrdinal = Number.MAX_SAFE_INTEGER;

const unpackr = new Unpackr({ useRecords: false, mapsAsObjects: true });

function unpack(record: Uint8Array): Fields {
  try {
    return readFields(unpackr.unpack(record), "record");
  } catch (cause) {
    throw asCaptureError(cause);
  }
}

/** Whatever is wrong with what a file says is the file's fault. */
function asCaptureError(cause: unknown): CaptureError {
  if (cause instanceof CaptureError) return cause;
  return new CaptureError(cause instanceof Error ? cause.message : String(cause), { cause });
}

/** Reads the first record, without its length. @throws CaptureError */
export function decodeCapturedStream(record: Uint8Array): CapturedStream {
  const fields = unpack(record);
  try {
    if (fields.version !== captureVersion) {
      throw new CaptureError(`version: ${String(fields.version)} is not known here, ${captureVersion} is`);
    }
    const open = sluice.v1.OpenStream.decode(readBytes(fields, "open", 0, 1 << 16));
    const options = openStreamFromWire(open, defaultLimits.maxTensorElements);
    return {
      startedAt: readText(fields, "startedAt", 64),
      options,
      units: readInteger(fields, "units", 1, elementCount(options.spec.shape)),
      modelHash: readBytes(fields, "modelHash", 0, hashBytes),
      // Not in the first captures.
      provider: fields.provider === undefined ? "" : readText(fields, "provider", 64),
    };
  } catch (cause) {
    throw asCaptureError(cause);
  }
}

/** Reads the record of a frame, without its length. Payloads are views of it. @throws CaptureError */
export function decodeCapturedFrame(record: Uint8Array, stream: CapturedStream): CapturedFrame {
  const fields = unpack(record);
  try {
    const code = fields.code === undefined ? {} : { code: readInteger(fields, "code", 0, maxFrame) };
    const outcome = captureOutcomes.find((name) => name === fields.outcome);
    if (outcome === undefined)
      throw new CaptureError(`outcome: ${JSON.stringify(fields.outcome)} is not known`);
    return {
      frame: readInteger(fields, "frame", 0, maxFrame),
      ...(fields.ordinal === undefined ? {} : { ordinal: readInteger(fields, "ordinal", 0, maxOrdinal) }),
      slices: readList(fields, "slices", maxSlices).map((slice) => readSlice(slice, stream.units)),
      unitsReceived: readInteger(fields, "unitsReceived", 0, stream.units),
      slicesRecovered: readInteger(fields, "slicesRecovered", 0, maxSlices),
      capturedMs: readNumber(fields, "capturedMs"),
      expiresAtMs: readNumber(fields, "expiresAtMs"),
      endedMs: readNumber(fields, "endedMs"),
      ...(fields.state === undefined ? {} : { state: readState(fields.state, stream) }),
      ...{ outcome, ...code },
      ...(fields.tensor === undefined ? {} : { tensor: readTensor(fields.tensor, stream) }),
      answer: readBytes(fields, "answer", 0, maxResultStreamBytes),
    };
  } catch (cause) {
    throw asCaptureError(cause);
  }
}

function readSlice(value: unknown, units: number): CapturedSlice {
  const fields = readFields(value, "slice");
  const count = readInteger(fields, "count", 1, units);
  return {
    ...{ count, index: readInteger(fields, "index", 0, count - 1) },
    payload: readBytes(fields, "payload", 0, defaultLimits.maxTensorBytes),
    arrivalMs: readNumber(fields, "arrivalMs"),
    isRecovered: fields.isRecovered === true,
  };
}

function readTensor(value: unknown, { options }: CapturedStream): CapturedTensor {
  const fields = readFields(value, "tensor");
  const refused = readList(fields, "refused", maxSlices).map((reason) => {
    if (typeof reason === "string" && reason.length <= maxRefusalLength) return reason;
    throw new CaptureError("tensor.refused: not a list of short texts");
  });
  const hashes = fields.hashes === undefined ? undefined : readFields(fields.hashes, "hashes");
  return {
    missingCount: readInteger(fields, "missingCount", 0, elementCount(options.spec.shape)),
    refused,
    ...(hashes && {
      hashes: {
        tensor: readBytes(hashes, "tensor", hashBytes, hashBytes),
        missing: readBytes(hashes, "missing", hashBytes, hashBytes),
      },
    }),
  };
}

function readState(value: unknown, { options }: CapturedStream): ReceiverState {
  const fields = readFields(value, "state");
  const references = readList(fields, "references", maxReferences).map(readReference);
  if (fields.last === undefined) return { references };
  const last = readFields(fields.last, "last");
  // As many as the largest element has; the receiver checks that they are the tensor's.
  const bytes = readBytes(last, "bytes", 0, 4 * elementCount(options.spec.shape));
  return { last: { frame: readInteger(last, "frame", 0, maxFrame), bytes }, references };
}

function readReference(value: unknown): CapturedReference {
  const fields = readFields(value, "reference");
  const bytes = readBytes(fields, "values", 0, 4 * defaultLimits.maxTensorElements);
  if (bytes.length % 4 !== 0) throw new CaptureError("reference.values: not a list of float32");
  // A copy, for floats must be aligned.
  return {
    frame: readInteger(fields, "frame", 0, maxFrame),
    values: new Float32Array(bytes.slice().buffer),
  };
}
