/** Error codes that end a connection or a stream (RFC 9114 8.1, RFC 9204 6, RFC 9297 5.2, WebTransport over HTTP/3 9.5). */
export const H3_CODE = {
  DATAGRAM_ERROR: 0x33,
  NO_ERROR: 0x100,
  GENERAL_PROTOCOL_ERROR: 0x101,
  INTERNAL_ERROR: 0x102,
  STREAM_CREATION_ERROR: 0x103,
  CLOSED_CRITICAL_STREAM: 0x104,
  FRAME_UNEXPECTED: 0x105,
  FRAME_ERROR: 0x106,
  EXCESSIVE_LOAD: 0x107,
  ID_ERROR: 0x108,
  SETTINGS_ERROR: 0x109,
  MISSING_SETTINGS: 0x10a,
  REQUEST_REJECTED: 0x10b,
  REQUEST_CANCELLED: 0x10c,
  REQUEST_INCOMPLETE: 0x10d,
  MESSAGE_ERROR: 0x10e,
  QPACK_DECOMPRESSION_FAILED: 0x200,
  QPACK_ENCODER_STREAM_ERROR: 0x201,
  QPACK_DECODER_STREAM_ERROR: 0x202,
  WEBTRANSPORT_BUFFERED_STREAM_REJECTED: 0x3994bd84,
  WEBTRANSPORT_SESSION_GONE: 0x170d7b68,
  WEBTRANSPORT_REQUIREMENTS_NOT_MET: 0x212c0d48,
} as const;

/** How much ends with an error (RFC 9114 8): the whole connection, or one request and the session that it opened. */
export type H3ErrorScope = "connection" | "stream";

/** A protocol violation by the peer. It ends the peer's connection or request stream with `code`, and nothing else. */
export class H3Error extends Error {
  override readonly name = "H3Error";
  constructor(
    /** One of {@link H3_CODE}. */
    readonly code: number,
    message: string,
    readonly scope: H3ErrorScope = "connection",
  ) {
    super(message);
  }
}

/** A malformed message or capsule, which is an error of its stream (RFC 9114 4.1.2, RFC 9297 3.3). */
export function malformed(message: string): H3Error {
  return new H3Error(H3_CODE.MESSAGE_ERROR, message, "stream");
}
