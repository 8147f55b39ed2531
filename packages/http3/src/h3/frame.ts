import { H3_CODE, H3Error } from "./error.js";
import { TlvReader } from "./tlv-reader.js";
import { decodeVarint, encodeVarint, varintBytes, varintBytesFrom } from "./varint.js";

/** Frame types in use here (RFC 9114 7.2). */
export const FRAME = {
  DATA: 0x00,
  HEADERS: 0x01,
  CANCEL_PUSH: 0x03,
  SETTINGS: 0x04,
  PUSH_PROMISE: 0x05,
  GOAWAY: 0x07,
  MAX_PUSH_ID: 0x0d,
  /** The first of those reserved for padding (RFC 9114 7.2.8). */
  PADDING: 0x21,
  /** First varint of a bidirectional stream of WebTransport; no frame (WebTransport over HTTP/3, 4.3). */
  WEBTRANSPORT_STREAM: 0x41,
} as const;

/** Who reads: clients and servers may receive different frames. */
export type H3Role = "client" | "server";

/** Receives the frames of a request stream. Views are valid until the callback returns. */
export interface RequestFrameHandler {
  onHeaders(fieldSection: Uint8Array): void;
  /** A piece of the content of a DATA frame. */
  onData(bytes: Uint8Array): void;
}

/** Receives the frames of the peer's control stream. Views are valid until the callback returns. */
export interface ControlFrameHandler {
  onSettings(payload: Uint8Array): void;
  /** `id` is rounded above 2^53; `lowBits` are its last two. */
  onGoaway(id: number, lowBits: number): void;
  onCancelPush(id: number): void;
  onMaxPushId(id: number): void;
}

/** Largest SETTINGS payload in bytes. */
const MAX_SETTINGS_BYTES = 4096;
/** Largest field section that we take, in bytes: as encoded, and as reckoned in RFC 9114 4.2.2. */
export const MAX_FIELD_SECTION_BYTES = 16_384;
/** A frame that holds one varint. */
const MAX_ID_BYTES = 8;

/** Frame types of HTTP/2 that HTTP/3 reserves (RFC 9114 7.2.8). */
const RESERVED_HTTP2 = new Set([0x02, 0x06, 0x08, 0x09]);

function unexpected(type: number, stream: string): H3Error {
  return new H3Error(H3_CODE.FRAME_UNEXPECTED, `frame 0x${type.toString(16)} on a ${stream} stream`);
}

/** Rules for frames that hold on every stream. */
function checkType(type: number, stream: string): void {
  if (RESERVED_HTTP2.has(type)) throw unexpected(type, stream);
  // WebTransport over HTTP/3, 4.3: the signal stands at the very beginning of a stream only.
  if (type === FRAME.WEBTRANSPORT_STREAM) {
    throw new H3Error(H3_CODE.FRAME_ERROR, "WebTransport signal within a stream of frames");
  }
}

/** Reads the frames of one request stream; throws {@link H3Error} where the peer breaks the rules. */
export function createRequestReader(role: H3Role, handler: RequestFrameHandler): TlvReader {
  let sawHeaders = false;
  return new TlvReader({
    classify(type, lengthBytes) {
      checkType(type, "request");
      switch (type) {
        case FRAME.HEADERS:
          sawHeaders = true;
          if (lengthBytes > MAX_FIELD_SECTION_BYTES) {
            // RFC 9114 4.2.2: the limit that our SETTINGS name.
            const message = `HEADERS of ${lengthBytes} bytes, at most ${MAX_FIELD_SECTION_BYTES} are taken`;
            throw new H3Error(H3_CODE.EXCESSIVE_LOAD, message, "stream");
          }
          return "collect";
        case FRAME.DATA:
          // RFC 9114 4.1: the header section comes first.
          if (!sawHeaders) throw unexpected(type, "request");
          return "stream";
        case FRAME.PUSH_PROMISE:
          // RFC 9114 7.2.5: clients never promise; a server's push id is above the limit, as we never set one.
          if (role === "server") throw unexpected(type, "request");
          throw new H3Error(H3_CODE.ID_ERROR, "PUSH_PROMISE without a push that is allowed");
        case FRAME.SETTINGS:
        case FRAME.GOAWAY:
        case FRAME.CANCEL_PUSH:
        case FRAME.MAX_PUSH_ID:
          throw unexpected(type, "request"); // RFC 9114 7, table 1
        default:
          return "skip"; // RFC 9114 9: unknown types are ignored.
      }
    },
    onCollected(_type, payload) {
      handler.onHeaders(payload);
    },
    onStreamed(_type, bytes) {
      handler.onData(bytes);
    },
  });
}

/** Reads the frames of the peer's control stream; throws {@link H3Error} where the peer breaks the rules. */
export function createControlReader(role: H3Role, handler: ControlFrameHandler): TlvReader {
  let sawSettings = false;
  return new TlvReader({
    classify(type, lengthBytes) {
      // RFC 9114 6.2.1: SETTINGS is the first frame of a control stream, …
      if (!sawSettings && type !== FRAME.SETTINGS) {
        throw new H3Error(H3_CODE.MISSING_SETTINGS, "the control stream does not begin with SETTINGS");
      }
      checkType(type, "control");
      switch (type) {
        case FRAME.SETTINGS:
          // … and comes once (RFC 9114 7.2.4).
          if (sawSettings) throw unexpected(type, "control");
          sawSettings = true;
          if (lengthBytes > MAX_SETTINGS_BYTES) {
            throw new H3Error(H3_CODE.EXCESSIVE_LOAD, `SETTINGS of ${lengthBytes} bytes`);
          }
          return "collect";
        case FRAME.MAX_PUSH_ID:
          // RFC 9114 7.2.7: only clients limit pushes.
          if (role === "client") throw unexpected(type, "control");
          return checkIdLength(type, lengthBytes);
        case FRAME.GOAWAY:
        case FRAME.CANCEL_PUSH:
          return checkIdLength(type, lengthBytes);
        case FRAME.DATA:
        case FRAME.HEADERS:
        case FRAME.PUSH_PROMISE:
          throw unexpected(type, "control"); // RFC 9114 7, table 1
        default:
          return "skip"; // RFC 9114 9: unknown types are ignored.
      }
    },
    onCollected(type, payload) {
      if (type === FRAME.SETTINGS) {
        handler.onSettings(payload);
        return;
      }
      const id = decodeVarint(payload, 0);
      // RFC 9114 7.1: exactly the fields of the frame, no byte more or less.
      if (id === -1 || varintBytesFrom(payload[0] ?? 0) !== payload.byteLength) {
        throw new H3Error(H3_CODE.FRAME_ERROR, `frame 0x${type.toString(16)} does not hold one id`);
      }
      if (type === FRAME.GOAWAY) handler.onGoaway(id, (payload.at(-1) ?? 0) & 3);
      else if (type === FRAME.CANCEL_PUSH) handler.onCancelPush(id);
      else handler.onMaxPushId(id);
    },
    onStreamed() {},
  });
}

function checkIdLength(type: number, lengthBytes: number): "collect" {
  if (lengthBytes > MAX_ID_BYTES) {
    throw new H3Error(H3_CODE.FRAME_ERROR, `frame 0x${type.toString(16)} of ${lengthBytes} bytes`);
  }
  return "collect";
}

/** One frame with its payload. */
export function encodeFrame(type: number, payload: Uint8Array): Uint8Array {
  const length = payload.byteLength;
  const bytes = new Uint8Array(varintBytes(type) + varintBytes(length) + length);
  bytes.set(payload, encodeVarint(bytes, encodeVarint(bytes, 0, type), length));
  return bytes;
}
