import { H3_CODE, H3Error } from "./error.js";
import { MAX_FIELD_SECTION_BYTES } from "./frame.js";
import { decodeVarint, encodeVarint, varintBytes, varintBytesFrom } from "./varint.js";

/** Setting identifiers (RFC 9114 7.2.4.1, RFC 9204 5, RFC 9220 3, RFC 9297 2.1.1, WebTransport drafts 02 to 07). */
export const SETTING = {
  QPACK_MAX_TABLE_CAPACITY: 0x01,
  MAX_FIELD_SECTION_SIZE: 0x06,
  QPACK_BLOCKED_STREAMS: 0x07,
  ENABLE_CONNECT_PROTOCOL: 0x08,
  H3_DATAGRAM: 0x33,
  /** HTTP/3 datagrams before RFC 9297; Chromium still looks for it. */
  H3_DATAGRAM_DRAFT04: 0xffd277,
  /** WebTransport draft 02; Chromium 156 asks for it. */
  ENABLE_WEBTRANSPORT: 0x2b603742,
  /** WebTransport drafts 03 to 12: how many sessions at once. */
  WEBTRANSPORT_MAX_SESSIONS: 0xc671706a,
  /** WebTransport drafts from 13 on. */
  WEBTRANSPORT_ENABLED: 0x2c7cf000,
} as const;

/** What we tell every peer: no dynamic QPACK table, extended CONNECT, datagrams, WebTransport. */
export const OUR_SETTINGS: ReadonlyMap<number, number> = new Map([
  [SETTING.QPACK_MAX_TABLE_CAPACITY, 0],
  [SETTING.MAX_FIELD_SECTION_SIZE, MAX_FIELD_SECTION_BYTES],
  [SETTING.QPACK_BLOCKED_STREAMS, 0],
  [SETTING.ENABLE_CONNECT_PROTOCOL, 1],
  [SETTING.H3_DATAGRAM, 1],
  [SETTING.H3_DATAGRAM_DRAFT04, 1],
  [SETTING.ENABLE_WEBTRANSPORT, 1],
  [SETTING.WEBTRANSPORT_MAX_SESSIONS, 16],
]);

const FLAGS: ReadonlySet<number> = new Set([
  SETTING.ENABLE_CONNECT_PROTOCOL,
  SETTING.H3_DATAGRAM,
  SETTING.WEBTRANSPORT_ENABLED,
]);

/** Payload of a SETTINGS frame. */
export function encodeSettings(settings: ReadonlyMap<number, number>): Uint8Array {
  let length = 0;
  for (const [id, value] of settings) length += varintBytes(id) + varintBytes(value);
  const bytes = new Uint8Array(length);
  let offset = 0;
  for (const [id, value] of settings) offset = encodeVarint(bytes, encodeVarint(bytes, offset, id), value);
  return bytes;
}

/** Settings of a SETTINGS payload, unknown ones included. */
export function decodeSettings(payload: Uint8Array): Map<number, number> {
  const settings = new Map<number, number>();
  for (let offset = 0; offset < payload.byteLength; ) {
    const id = decodeVarint(payload, offset);
    if (id === -1) throw new H3Error(H3_CODE.FRAME_ERROR, "SETTINGS end within an identifier");
    offset += varintBytesFrom(payload[offset] ?? 0);
    const value = decodeVarint(payload, offset);
    if (value === -1) throw new H3Error(H3_CODE.FRAME_ERROR, "SETTINGS end within a value");
    offset += varintBytesFrom(payload[offset] ?? 0);
    // RFC 9114 7.2.4: no identifier twice; 7.2.4.1: those of HTTP/2 are reserved.
    if (settings.has(id) || (id >= 0x02 && id <= 0x05)) {
      throw new H3Error(H3_CODE.SETTINGS_ERROR, `setting 0x${id.toString(16)} twice or reserved`);
    }
    // RFC 9297 2.1.1, RFC 8441 3 by RFC 9220 3, WebTransport over HTTP/3 3.1: either 0 or 1.
    if (FLAGS.has(id) && value > 1) {
      throw new H3Error(H3_CODE.SETTINGS_ERROR, `setting 0x${id.toString(16)} is ${value}, not 0 or 1`);
    }
    settings.set(id, value);
  }
  return settings;
}

/** Whether a peer with these settings takes HTTP datagrams. */
export function supportsDatagrams(settings: ReadonlyMap<number, number>): boolean {
  return settings.get(SETTING.H3_DATAGRAM) === 1 || settings.get(SETTING.H3_DATAGRAM_DRAFT04) === 1;
}

/** Whether a server with these settings takes WebTransport sessions (WebTransport over HTTP/3 3.1, RFC 9220 3). */
export function supportsWebTransport(settings: ReadonlyMap<number, number>): boolean {
  if (settings.get(SETTING.ENABLE_CONNECT_PROTOCOL) !== 1 || !supportsDatagrams(settings)) return false;
  return (
    (settings.get(SETTING.ENABLE_WEBTRANSPORT) ?? 0) > 0 ||
    (settings.get(SETTING.WEBTRANSPORT_MAX_SESSIONS) ?? 0) > 0 ||
    (settings.get(SETTING.WEBTRANSPORT_ENABLED) ?? 0) > 0
  );
}
