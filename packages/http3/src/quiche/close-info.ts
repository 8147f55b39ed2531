import type { Connection } from "@matrixai/quic/native/types.js";
import type { CloseInfo } from "@sluice/transport";
import { H3_CODE } from "../h3/error.js";
import { decodeErrorCode } from "../webtransport/error-code.js";

/**
 * Code of sessions whose engine hung or crashed; they close with `by: "transport"`. It lies outside what Sluice's
 * registry and HTTP/3 use, so that an application that only looks at codes does not take it for an order to stop.
 */
export const ENGINE_FAILED_CODE = 0xffff_0001;

/** How a connection that is over ended, for its sessions. */
export function describeClose(connection: Connection): CloseInfo {
  const peer = connection.peerError();
  if (peer !== null)
    return describePeerError(peer.isApp, peer.errorCode, Buffer.from(peer.reason).toString());
  if (connection.isTimedOut()) return { code: 0, reason: "the connection timed out", by: "transport" };
  const local = connection.localError();
  if (local?.isApp === true && local.errorCode === H3_CODE.NO_ERROR)
    return { code: 0, reason: "", by: "local" };
  const code = local === null ? "" : ` 0x${local.errorCode.toString(16)}`;
  return {
    code: 0,
    reason: `QUIC error${code} ${Buffer.from(local?.reason ?? []).toString()}`.trim(),
    by: "transport",
  };
}

/** What the peer's CONNECTION_CLOSE means for the sessions that it ends. */
export function describePeerError(isApp: boolean, errorCode: number, reason: string): CloseInfo {
  if (!isApp)
    return { code: 0, reason: `QUIC error 0x${errorCode.toString(16)} ${reason}`.trim(), by: "transport" };
  if (errorCode === H3_CODE.NO_ERROR) return { code: 0, reason, by: "remote" };
  const application = decodeErrorCode(errorCode);
  if (application !== undefined) return { code: application, reason, by: "remote" };
  const isHttp3 = errorCode > H3_CODE.NO_ERROR && errorCode <= H3_CODE.QPACK_DECODER_STREAM_ERROR;
  if (isHttp3)
    return { code: 0, reason: `HTTP/3 error 0x${errorCode.toString(16)} ${reason}`.trim(), by: "transport" };
  // Deno closes the connection with the application's bare code instead of a capsule.
  if (errorCode <= 0xffff_ffff) return { code: errorCode, reason, by: "remote" };
  return { code: 0, reason, by: "remote" };
}
