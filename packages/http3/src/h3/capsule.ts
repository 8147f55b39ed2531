import { malformed } from "./error.js";
import { TlvReader } from "./tlv-reader.js";
import { encodeVarint, varintBytes } from "./varint.js";

/** Capsule types (RFC 9297 3.5, WebTransport over HTTP/3 4.7, 5.4 and 6). */
export const CAPSULE = {
  DATAGRAM: 0x00,
  CLOSE_WEBTRANSPORT_SESSION: 0x2843,
  DRAIN_WEBTRANSPORT_SESSION: 0x78ae,
  MAX_STREAM_DATA: 0x190b4d3e,
  STREAM_DATA_BLOCKED: 0x190b4d42,
} as const;

/** Longest reason of a close in bytes. */
export const MAX_REASON_BYTES = 1024;
/** Largest datagram in a capsule that is delivered; larger ones are lost, as any datagram may be. */
const MAX_DATAGRAM_BYTES = 65_527;

/** Receives the capsules that matter here. Views are valid until the callback returns. */
export interface CapsuleHandler {
  onDatagram(payload: Uint8Array): void;
  onClose(code: number, reason: string): void;
  onDrain(): void;
}

/**
 * Reads the capsules in the content of a session's CONNECT stream (RFC 9297 3.2); unknown ones are skipped. An error
 * in a capsule is one of its stream (RFC 9297 3.3).
 */
export function createCapsuleReader(handler: CapsuleHandler): TlvReader {
  let isClosed = false;
  return new TlvReader({
    classify(type, lengthBytes) {
      // WebTransport over HTTP/3, 6: nothing follows the capsule that closes.
      if (isClosed) throw malformed("data after the CLOSE capsule");
      switch (type) {
        case CAPSULE.DATAGRAM:
          return lengthBytes <= MAX_DATAGRAM_BYTES ? "collect" : "skip";
        case CAPSULE.DRAIN_WEBTRANSPORT_SESSION:
          if (lengthBytes !== 0) throw malformed("DRAIN capsule with content");
          return "collect";
        case CAPSULE.CLOSE_WEBTRANSPORT_SESSION:
          if (lengthBytes < 4 || lengthBytes > 4 + MAX_REASON_BYTES) {
            throw malformed(`CLOSE capsule of ${lengthBytes} bytes`);
          }
          return "collect";
        case CAPSULE.MAX_STREAM_DATA:
        case CAPSULE.STREAM_DATA_BLOCKED:
          // WebTransport over HTTP/3, 5.4: QUIC does that here. The other capsules of flow control are ignored, as
          // we do not negotiate it (5.1).
          throw malformed("capsule that belongs to WebTransport over HTTP/2");
        default:
          return "skip";
      }
    },
    onCollected(type, payload) {
      if (type === CAPSULE.DATAGRAM) handler.onDatagram(payload);
      else if (type === CAPSULE.DRAIN_WEBTRANSPORT_SESSION) handler.onDrain();
      else {
        isClosed = true;
        const code = new DataView(payload.buffer, payload.byteOffset).getUint32(0);
        handler.onClose(code, decodeReason(payload.subarray(4)));
      }
    },
    onStreamed() {},
  });
}

function decodeReason(bytes: Uint8Array): string {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    throw malformed("CLOSE capsule whose reason is not UTF-8"); // WebTransport over HTTP/3, 6
  }
}

/** CLOSE_WEBTRANSPORT_SESSION: a u32 code and a UTF-8 reason, cut to {@link MAX_REASON_BYTES} at a character. */
export function encodeCloseCapsule(code: number, reason: string): Uint8Array {
  const text = encodeReason(reason);
  const length = 4 + text.byteLength;
  const type = CAPSULE.CLOSE_WEBTRANSPORT_SESSION;
  const bytes = new Uint8Array(varintBytes(type) + varintBytes(length) + length);
  const offset = encodeVarint(bytes, encodeVarint(bytes, 0, type), length);
  new DataView(bytes.buffer).setUint32(offset, code);
  bytes.set(text, offset + 4);
  return bytes;
}

/** UTF-8 of `reason`, at most {@link MAX_REASON_BYTES}, never ending within a character. */
export function encodeReason(reason: string): Uint8Array {
  const buffer = new Uint8Array(MAX_REASON_BYTES);
  const { written } = new TextEncoder().encodeInto(reason, buffer);
  return buffer.subarray(0, written);
}
