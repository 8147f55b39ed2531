import { H3_CODE, H3Error } from "./error.js";
import { TlvReader } from "./tlv-reader.js";
import { encodeVarint, varintBytes } from "./varint.js";

/** Capsule types (WebTransport over HTTP/3, section 6 and 4.7). */
export const CAPSULE = { CLOSE_WEBTRANSPORT_SESSION: 0x2843, DRAIN_WEBTRANSPORT_SESSION: 0x78ae } as const;

/** Longest reason of a close in bytes. */
export const MAX_REASON_BYTES = 1024;

/** Receives the capsules that matter here. */
export interface CapsuleHandler {
  onClose(code: number, reason: string): void;
  onDrain(): void;
}

/** Reads the capsules in the content of a session's CONNECT stream (RFC 9297 3.2); unknown ones are skipped. */
export function createCapsuleReader(handler: CapsuleHandler): TlvReader {
  return new TlvReader({
    classify(type, lengthBytes) {
      if (type === CAPSULE.DRAIN_WEBTRANSPORT_SESSION) {
        if (lengthBytes !== 0) throw new H3Error(H3_CODE.DATAGRAM_ERROR, "DRAIN capsule with content");
        return "collect";
      }
      if (type !== CAPSULE.CLOSE_WEBTRANSPORT_SESSION) return "skip";
      if (lengthBytes < 4 || lengthBytes > 4 + MAX_REASON_BYTES) {
        throw new H3Error(H3_CODE.DATAGRAM_ERROR, `CLOSE capsule of ${lengthBytes} bytes`);
      }
      return "collect";
    },
    onCollected(type, payload) {
      if (type === CAPSULE.DRAIN_WEBTRANSPORT_SESSION) handler.onDrain();
      else {
        const code = new DataView(payload.buffer, payload.byteOffset).getUint32(0);
        handler.onClose(code, new TextDecoder().decode(payload.subarray(4)));
      }
    },
    onStreamed() {},
  });
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
