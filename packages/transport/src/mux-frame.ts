/**
 * The wire of a session over one reliable, ordered connection that keeps message boundaries: a WebSocket with the
 * subprotocol {@link MUX_PROTOCOL}, binary messages (spec 2.6).
 *
 * Each message holds one frame: a type of one byte, then fixed fields, big-endian, then what is left of the message.
 *
 *     type                    fields
 *     0x01 OPEN               u32 stream                         the sender opens a stream
 *     0x02 DATA               u32 stream, 1 to 16,384 bytes      the next bytes of a stream
 *     0x03 FIN                u32 stream                         all bytes of the stream were sent
 *     0x04 RESET              u32 stream, u32 code               the sender of a stream abandons it
 *     0x05 STOP               u32 stream, u32 code               the receiver of a stream wants no more of it
 *     0x06 STREAM_CREDIT      u32 stream, u32 bytes (not 0)      so many more bytes may be sent on the stream
 *     0x07 SESSION_CREDIT     u32 bytes (not 0)                  so many more bytes may be sent on all streams
 *     0x08 OPEN_CREDIT        u8 kind, u32 count (not 0)         so many more streams of the kind may be opened
 *     0x09 CLOSE              u32 code, 0 to 1,024 bytes UTF-8   the session ends; nothing follows
 *
 * Streams are numbered as in QUIC (RFC 9000 2.1): bit 0 is 0 for streams of the client and 1 for those of the server,
 * bit 1 is 0 for bidirectional streams and 1 for unidirectional ones (the `kind` above); the numbers of each of the
 * four sorts begin with the smallest and rise by 4 from OPEN to OPEN.
 *
 * Credit: at the start a stream may carry {@link STREAM_WINDOW_BYTES} each way, all streams together
 * {@link SESSION_WINDOW_BYTES} each way, and {@link MAX_OPEN_STREAMS} streams of each kind may be open from each side.
 * Only the bytes of DATA count. Credit comes back as the receiver's application takes (or refuses) the bytes, and for
 * streams when both halves have ended with FIN or RESET. Who gets STOP answers with RESET, unless FIN or RESET was
 * sent already. STOP and STREAM_CREDIT for a stream that has ended are ignored, since they may have crossed its end.
 *
 * Everything else is a violation: unknown types, wrong lengths, text messages, numbers out of turn, frames for streams
 * that were never opened or from their wrong end, DATA after the end, more than the credit. Who sees one closes the
 * WebSocket with {@link VIOLATION_CLOSE_CODE}.
 */

/** Name of this protocol in `Sec-WebSocket-Protocol`; it changes with the wire. */
export const MUX_PROTOCOL = "sluice.mux.v1";

/** WebSocket close codes (RFC 6455 7.4.2: 4000 to 4999 are private). */
export const VIOLATION_CLOSE_CODE = 4002;
export const OVERLOAD_CLOSE_CODE = 4008;
export const NORMAL_CLOSE_CODE = 1000;

export const MAX_DATA_BYTES = 16_384;
export const MAX_REASON_BYTES = 1024;
/** The longest message that is valid. */
export const MAX_MESSAGE_BYTES = 5 + MAX_DATA_BYTES;
export const STREAM_WINDOW_BYTES = 1 << 19;
export const SESSION_WINDOW_BYTES = 1 << 22;
export const MAX_OPEN_STREAMS = 128;

export type StreamKind = "bidirectional" | "unidirectional";

/** A decoded message. `bytes` are a view of it. */
export type MuxFrame =
  | { readonly type: "open" | "fin"; readonly stream: number }
  | { readonly type: "data"; readonly stream: number; readonly bytes: Uint8Array }
  | { readonly type: "reset" | "stop"; readonly stream: number; readonly code: number }
  | { readonly type: "stream-credit"; readonly stream: number; readonly bytes: number }
  | { readonly type: "session-credit"; readonly bytes: number }
  | { readonly type: "open-credit"; readonly kind: StreamKind; readonly count: number }
  | { readonly type: "close"; readonly code: number; readonly reason: string };

/** The peer broke the rules above. */
export class MuxViolation extends Error {
  override readonly name = "MuxViolation";
}

// Every runtime has them; the compiler, which knows neither Node nor the DOM here, is told so.
declare class TextEncoder {
  encodeInto(text: string, dst: Uint8Array): { readonly written: number };
}
declare class TextDecoder {
  constructor(label: string, options: { readonly fatal: boolean });
  decode(bytes: Uint8Array): string;
}

const TYPE = {
  open: 0x01,
  data: 0x02,
  fin: 0x03,
  reset: 0x04,
  stop: 0x05,
  "stream-credit": 0x06,
  "session-credit": 0x07,
  "open-credit": 0x08,
  close: 0x09,
} as const;

/** The message of a frame; it shares no memory with it. Numbers must be whole and fit their fields. */
export function encodeMuxFrame(frame: MuxFrame): Uint8Array {
  switch (frame.type) {
    case "open":
    case "fin":
      return encodeNumbers(TYPE[frame.type], frame.stream);
    case "data": {
      const message = new Uint8Array(5 + frame.bytes.byteLength);
      message[0] = TYPE.data;
      writeUint32(message, 1, frame.stream);
      message.set(frame.bytes, 5);
      return message;
    }
    case "reset":
    case "stop":
      return encodeNumbers(TYPE[frame.type], frame.stream, frame.code);
    case "stream-credit":
      return encodeNumbers(TYPE[frame.type], frame.stream, frame.bytes);
    case "session-credit":
      return encodeNumbers(TYPE[frame.type], frame.bytes);
    case "open-credit": {
      const message = new Uint8Array(6);
      message[0] = TYPE["open-credit"];
      message[1] = frame.kind === "bidirectional" ? 0 : 1;
      writeUint32(message, 2, frame.count);
      return message;
    }
    case "close": {
      const message = new Uint8Array(5 + MAX_REASON_BYTES);
      message[0] = TYPE.close;
      writeUint32(message, 1, frame.code);
      // Cut at a character where it is too long.
      const { written } = new TextEncoder().encodeInto(frame.reason, message.subarray(5));
      return message.subarray(0, 5 + written);
    }
  }
}

/** The frame in a message; throws {@link MuxViolation} where there is none. */
export function decodeMuxFrame(message: Uint8Array): MuxFrame {
  if (message.byteLength > MAX_MESSAGE_BYTES) {
    throw new MuxViolation(
      `a message of ${message.byteLength} bytes, at most ${MAX_MESSAGE_BYTES} are allowed`,
    );
  }
  const type = message[0];
  switch (type) {
    case TYPE.open:
    case TYPE.fin:
      checkLength(message, 5, 5);
      return { type: type === TYPE.open ? "open" : "fin", stream: readUint32(message, 1) };
    case TYPE.data:
      checkLength(message, 6, MAX_MESSAGE_BYTES);
      return { type: "data", stream: readUint32(message, 1), bytes: message.subarray(5) };
    case TYPE.reset:
    case TYPE.stop:
      checkLength(message, 9, 9);
      return {
        type: type === TYPE.reset ? "reset" : "stop",
        stream: readUint32(message, 1),
        code: readUint32(message, 5),
      };
    case TYPE["stream-credit"]:
      checkLength(message, 9, 9);
      return { type: "stream-credit", stream: readUint32(message, 1), bytes: readCount(message, 5) };
    case TYPE["session-credit"]:
      checkLength(message, 5, 5);
      return { type: "session-credit", bytes: readCount(message, 1) };
    case TYPE["open-credit"]: {
      checkLength(message, 6, 6);
      const kind = message[1];
      if (kind !== 0 && kind !== 1) throw new MuxViolation(`stream kind ${kind}`);
      const count = readCount(message, 2);
      return { type: "open-credit", kind: kind === 0 ? "bidirectional" : "unidirectional", count };
    }
    case TYPE.close:
      checkLength(message, 5, 5 + MAX_REASON_BYTES);
      return { type: "close", code: readUint32(message, 1), reason: decodeText(message.subarray(5)) };
    default:
      throw new MuxViolation(type === undefined ? "an empty message" : `frame type ${type}`);
  }
}

function encodeNumbers(type: number, first: number, second?: number): Uint8Array {
  const message = new Uint8Array(second === undefined ? 5 : 9);
  message[0] = type;
  writeUint32(message, 1, first);
  if (second !== undefined) writeUint32(message, 5, second);
  return message;
}

function checkLength(message: Uint8Array, min: number, max: number): void {
  const length = message.byteLength;
  if (length < min || length > max) throw new MuxViolation(`frame type ${message[0]} of ${length} bytes`);
}

function readCount(message: Uint8Array, offset: number): number {
  const count = readUint32(message, offset);
  if (count === 0) throw new MuxViolation("a credit of 0");
  return count;
}

function decodeText(bytes: Uint8Array): string {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    throw new MuxViolation("a reason that is not UTF-8");
  }
}

function writeUint32(dst: Uint8Array, offset: number, value: number): void {
  dst[offset] = value >>> 24;
  dst[offset + 1] = (value >>> 16) & 0xff;
  dst[offset + 2] = (value >>> 8) & 0xff;
  dst[offset + 3] = value & 0xff;
}

function readUint32(src: Uint8Array, offset: number): number {
  const [a = 0, b = 0, c = 0, d = 0] = [src[offset], src[offset + 1], src[offset + 2], src[offset + 3]];
  return a * 0x100_0000 + ((b << 16) | (c << 8) | d);
}
