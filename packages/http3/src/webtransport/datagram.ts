import { H3_CODE, H3Error } from "../h3/error.js";
import { decodeVarint, varintBytesFrom } from "../h3/varint.js";

/** Cuts the quarter stream id off an HTTP datagram (RFC 9297 2.1). `payload` is a view. */
export function decodeDatagram(datagram: Uint8Array): { sessionId: number; payload: Uint8Array } {
  const first = datagram[0] ?? 0;
  const quarter = decodeVarint(datagram, 0);
  if (quarter === -1) throw new H3Error(H3_CODE.DATAGRAM_ERROR, "datagram too short for its stream");
  // At most 2^60 - 1, which a number cannot tell from 2^60: the bits above are in the first byte of the longest form.
  if (first >= 0xd0) throw new H3Error(H3_CODE.DATAGRAM_ERROR, "datagram of a stream that cannot be");
  return { sessionId: quarter * 4, payload: datagram.subarray(varintBytesFrom(first)) };
}
