import protobuf from "protobufjs/minimal.js";
import { ModelError } from "../model-error.js";

/**
 * One field of a protobuf message, kept as the bytes it came in. Editing a model means choosing among these, so
 * that what this code does not know (newer fields, other vendors' extensions) comes out as it went in.
 */
export interface WireField {
  readonly number: number;
  readonly wireType: number;
  /** Tag, length and value; a view into the message. */
  readonly raw: Uint8Array;
  /** The value of a length-delimited field (wire type 2), else empty; a view into the message. */
  readonly payload: Uint8Array;
  /** The value of a varint field (wire type 0), else 0. Exact up to 2^53. */
  readonly value: number;
}

/** More fields in one message than any model has: every one becomes an object, so a bound is needed. */
export const maxFieldsPerMessage = 1 << 20;

const empty = new Uint8Array(0);
const utf8 = new TextDecoder("utf-8", { fatal: true });

/** Exact within 2^53. */
function readInt64(reader: protobuf.Reader): number {
  const long = reader.int64();
  return typeof long === "number" ? long : long.high * 2 ** 32 + (long.low >>> 0);
}

/**
 * Cuts a protobuf message into its fields without decoding them.
 * @param what the message's name, for the error
 * @throws ModelError `not-onnx` if the bytes are not a protobuf message
 */
export function readFields(message: Uint8Array, what: string): WireField[] {
  const fields: WireField[] = [];
  // Not Reader.create: that returns a reader of Node Buffers there, whose views are Buffers as well.
  const reader = new protobuf.Reader(message);
  try {
    while (reader.pos < reader.len) {
      if (fields.length === maxFieldsPerMessage) throw new Error(`over ${maxFieldsPerMessage} fields`);
      const start = reader.pos;
      const tag = reader.uint32();
      const number = tag >>> 3;
      const wireType = tag & 7;
      if (number === 0) throw new Error("field number 0");
      let payload: Uint8Array = empty;
      let value = 0;
      if (wireType === 0) {
        value = readInt64(reader);
      } else if (wireType === 2) {
        const length = reader.uint32();
        if (length > reader.len - reader.pos) throw new Error(`a field of ${length} bytes runs past the end`);
        payload = message.subarray(reader.pos, reader.pos + length);
        reader.pos += length;
      } else {
        reader.skipType(wireType, 0, number);
      }
      fields.push({ number, wireType, raw: message.subarray(start, reader.pos), payload, value });
    }
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new ModelError("not-onnx", `${what}: not a protobuf message (byte ${reader.pos}: ${reason})`, {
      cause,
    });
  }
  return fields;
}

/** The field's value as text. @throws ModelError `not-onnx` if it is none */
export function fieldText(field: WireField, what: string): string {
  if (field.wireType !== 2)
    throw new ModelError("not-onnx", `${what}: text expected, got wire type ${field.wireType}`);
  try {
    return utf8.decode(field.payload);
  } catch (cause) {
    throw new ModelError("not-onnx", `${what}: not UTF-8`, { cause });
  }
}

/** The field's value as a message to be read. @throws ModelError `not-onnx` if it is none */
export function fieldMessage(field: WireField, what: string): Uint8Array {
  if (field.wireType !== 2) {
    throw new ModelError("not-onnx", `${what}: message expected, got wire type ${field.wireType}`);
  }
  return field.payload;
}

/** Appends the values of a repeated int64 field, packed or not. */
export function appendIntegers(target: number[], field: WireField, what: string): void {
  if (field.wireType === 0) {
    target.push(field.value);
    return;
  }
  const reader = new protobuf.Reader(fieldMessage(field, what));
  try {
    while (reader.pos < reader.len) {
      target.push(readInt64(reader));
    }
  } catch (cause) {
    throw new ModelError("not-onnx", `${what}: not a list of integers`, { cause });
  }
}

/** Puts fields together to a message. */
export function joinFields(fields: readonly Uint8Array[]): Uint8Array {
  let length = 0;
  for (const field of fields) length += field.length;
  const message = new Uint8Array(length);
  let offset = 0;
  for (const field of fields) {
    message.set(field, offset);
    offset += field.length;
  }
  return message;
}

/** A length-delimited field: tag, length, value. */
export function encodeMessageField(number: number, payload: Uint8Array): Uint8Array {
  return protobuf.Writer.create()
    .uint32((number << 3) | 2)
    .bytes(payload)
    .finish();
}
