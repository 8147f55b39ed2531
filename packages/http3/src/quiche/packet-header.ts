/** Length of the connection ids that we hand out, in bytes. */
export const CONNECTION_ID_BYTES = 16;

/** What has to be known of a packet to find its connection (RFC 8999 5, RFC 9000 17). */
export interface PacketHeader {
  readonly isLong: boolean;
  /** Only of long headers; 0 is version negotiation. */
  readonly version: number;
  /** Only of long headers: whether it is an Initial packet of version 1. */
  readonly isInitial: boolean;
  readonly destinationId: Uint8Array;
  /** Empty in short headers, which do not carry it. */
  readonly sourceId: Uint8Array;
}

const EMPTY = new Uint8Array(0);
const MAX_CONNECTION_ID_BYTES = 20;

/** The invariant part of the header, or `undefined` where the packet is too short or malformed. */
export function decodePacketHeader(packet: Uint8Array): PacketHeader | undefined {
  const first = packet[0];
  if (first === undefined) return undefined;
  if ((first & 0x80) === 0) {
    if (packet.byteLength < 1 + CONNECTION_ID_BYTES) return undefined;
    const destinationId = packet.subarray(1, 1 + CONNECTION_ID_BYTES);
    return { isLong: false, version: 0, isInitial: false, destinationId, sourceId: EMPTY };
  }
  const destinationLength = packet[5];
  if (destinationLength === undefined || destinationLength > MAX_CONNECTION_ID_BYTES) return undefined;
  const sourceAt = 6 + destinationLength;
  const sourceLength = packet[sourceAt];
  if (sourceLength === undefined || sourceLength > MAX_CONNECTION_ID_BYTES) return undefined;
  const end = sourceAt + 1 + sourceLength;
  if (end > packet.byteLength) return undefined;
  const version =
    (packet[1] ?? 0) * 0x100_0000 + ((packet[2] ?? 0) << 16) + ((packet[3] ?? 0) << 8) + (packet[4] ?? 0);
  return {
    isLong: true,
    version,
    isInitial: version === 1 && (first & 0x30) === 0,
    destinationId: packet.subarray(6, sourceAt),
    sourceId: packet.subarray(sourceAt + 1, end),
  };
}

/** A key for maps of connections by id. */
export function connectionKey(id: Uint8Array): string {
  return Buffer.from(id.buffer, id.byteOffset, id.byteLength).toString("latin1");
}
