/** What stands in the payload of a repair symbol (spec 5.8): the datagrams of its group, and their parity. */
import { ErrorCode, ProtocolError } from "../error-code.js";
import { maxFecSources, maxRepairMaskBytes } from "../limits.js";

export interface RepairPayload {
  /** Sequences of the group's datagrams as differences to the lowest: rising from 0. */
  readonly offsets: readonly number[];
  readonly parity: Uint8Array;
}

/** Bytes before the parity of a symbol whose highest offset is this. */
export function repairMaskBytes(lastOffset: number): number {
  return 1 + ((lastOffset >> 3) + 1);
}

export function encodeRepairPayload({ offsets, parity }: RepairPayload): Uint8Array {
  const maskBytes = repairMaskBytes(offsets.at(-1) ?? 0);
  const payload = new Uint8Array(maskBytes + parity.length);
  payload[0] = maskBytes - 1;
  for (const offset of offsets) payload[1 + (offset >> 3)]! |= 1 << (offset & 7);
  payload.set(parity, maskBytes);
  return payload;
}

/** The parity is a view into `payload`. @throws ProtocolError malformedDatagram */
export function decodeRepairPayload(payload: Uint8Array): RepairPayload {
  const maskBytes = payload[0] ?? 0;
  if (maskBytes < 1 || maskBytes > maxRepairMaskBytes || payload.length < 1 + maskBytes + minSymbolBytes)
    malformed(`${payload.length} bytes with a map of ${maskBytes}`);
  const offsets: number[] = [];
  for (let offset = 0; offset < 8 * maskBytes; offset++) {
    if ((payload[1 + (offset >> 3)]! >> (offset & 7)) & 1) offsets.push(offset);
  }
  // One group has one map: it begins with its lowest datagram and has no empty byte at its end.
  if (offsets[0] !== 0 || payload[maskBytes] === 0)
    malformed("a map that does not begin or end where it must");
  if (offsets.length > maxFecSources) malformed(`${offsets.length} datagrams, at most ${maxFecSources}`);
  return { offsets, parity: payload.subarray(1 + maskBytes) };
}

/** A source symbol: the length of the datagram, and its bytes. */
export const symbolLengthBytes = 2;
const minSymbolBytes = symbolLengthBytes + 1;

function malformed(what: string): never {
  throw new ProtocolError(ErrorCode.malformedDatagram, `repair symbol: ${what}`);
}

/** What the code works on: a datagram behind its length, without the padding to the size of its group's symbols. */
export function encodeSourceSymbol(datagram: Uint8Array): Uint8Array {
  const symbol = new Uint8Array(symbolLengthBytes + datagram.length);
  symbol[0] = datagram.length & 0xff;
  symbol[1] = datagram.length >> 8;
  symbol.set(datagram, symbolLengthBytes);
  return symbol;
}

/** The datagram in a source symbol, as a view; `undefined` where it holds none: it was recovered from symbols that lie. */
export function decodeSourceSymbol(symbol: Uint8Array): Uint8Array | undefined {
  const length = symbol[0]! | (symbol[1]! << 8);
  const end = symbolLengthBytes + length;
  if (length === 0 || end > symbol.length) return undefined;
  for (let i = end; i < symbol.length; i++) if (symbol[i] !== 0) return undefined;
  return symbol.subarray(symbolLengthBytes, end);
}
