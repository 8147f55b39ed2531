import { H3_CODE, H3Error } from "./error.js";
import { TlvReader } from "./tlv-reader.js";
import { encodeVarint, varintBytes } from "./varint.js";

/** Frame types in use here (RFC 9114 7.2). */
export const FRAME = {
  DATA: 0x00,
  HEADERS: 0x01,
  CANCEL_PUSH: 0x03,
  SETTINGS: 0x04,
  PUSH_PROMISE: 0x05,
  GOAWAY: 0x07,
  MAX_PUSH_ID: 0x0d,
} as const;

/** The stream that frames come on: different ones are allowed on each (RFC 9114 7, table 1). */
export type FrameStreamKind = "control" | "request";

/** Receives frames. Views are valid until the callback returns. */
export interface FrameHandler {
  onSettings(payload: Uint8Array): void;
  onHeaders(fieldSection: Uint8Array): void;
  /** A piece of the content of a DATA frame. */
  onData(bytes: Uint8Array): void;
}

/** Largest SETTINGS, GOAWAY, … payload in bytes. */
const MAX_CONTROL_PAYLOAD_BYTES = 4096;
/** Largest encoded field section in bytes. */
const MAX_FIELD_SECTION_BYTES = 16_384;

/** Frame types of HTTP/2 that HTTP/3 reserves (RFC 9114 7.2.8). */
const RESERVED_HTTP2 = new Set([0x02, 0x06, 0x08, 0x09]);

/** Reads the frames of one control or request stream; throws {@link H3Error} where the peer breaks the rules. */
export function createFrameReader(kind: FrameStreamKind, handler: FrameHandler): TlvReader {
  let sawSettings = false;
  let sawHeaders = false;

  function unexpected(type: number): H3Error {
    return new H3Error(H3_CODE.FRAME_UNEXPECTED, `frame 0x${type.toString(16)} on a ${kind} stream`);
  }

  function limit(lengthBytes: number, maxBytes: number): "collect" {
    if (lengthBytes > maxBytes) {
      throw new H3Error(
        H3_CODE.EXCESSIVE_LOAD,
        `frame of ${lengthBytes} bytes, at most ${maxBytes} are taken`,
      );
    }
    return "collect";
  }

  return new TlvReader({
    classify(type, lengthBytes) {
      // RFC 9114 6.2.1: SETTINGS is the first frame of a control stream, …
      if (kind === "control" && !sawSettings && type !== FRAME.SETTINGS) {
        throw new H3Error(H3_CODE.MISSING_SETTINGS, "the control stream does not begin with SETTINGS");
      }
      if (RESERVED_HTTP2.has(type)) throw unexpected(type);
      switch (type) {
        case FRAME.SETTINGS:
          // … and comes once (RFC 9114 7.2.4).
          if (kind !== "control" || sawSettings) throw unexpected(type);
          sawSettings = true;
          return limit(lengthBytes, MAX_CONTROL_PAYLOAD_BYTES);
        case FRAME.HEADERS:
          if (kind !== "request") throw unexpected(type);
          sawHeaders = true;
          return limit(lengthBytes, MAX_FIELD_SECTION_BYTES);
        case FRAME.DATA:
          // RFC 9114 4.1: the header section comes first.
          if (kind !== "request" || !sawHeaders) throw unexpected(type);
          return "stream";
        case FRAME.GOAWAY:
        case FRAME.CANCEL_PUSH:
        case FRAME.MAX_PUSH_ID:
          if (kind !== "control") throw unexpected(type);
          limit(lengthBytes, MAX_CONTROL_PAYLOAD_BYTES);
          return "skip";
        case FRAME.PUSH_PROMISE:
          // RFC 9114 7.2.5: we never allow a push, so every promise is one too many.
          throw new H3Error(kind === "request" ? H3_CODE.ID_ERROR : H3_CODE.FRAME_UNEXPECTED, "PUSH_PROMISE");
        default:
          return "skip"; // RFC 9114 9: unknown types are ignored.
      }
    },
    onCollected(type, payload) {
      if (type === FRAME.SETTINGS) handler.onSettings(payload);
      else handler.onHeaders(payload);
    },
    onStreamed(_type, bytes) {
      handler.onData(bytes);
    },
  });
}

/** One frame with its payload. */
export function encodeFrame(type: number, payload: Uint8Array): Uint8Array {
  const length = payload.byteLength;
  const bytes = new Uint8Array(varintBytes(type) + varintBytes(length) + length);
  bytes.set(payload, encodeVarint(bytes, encodeVarint(bytes, 0, type), length));
  return bytes;
}
