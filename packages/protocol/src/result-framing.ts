/** The bytes of a result on a unidirectional stream of its own: the result, then its payload (spec 7.4). */
import { sluice } from "@sluice/proto";
import { ErrorCode, ProtocolError } from "./error-code.js";
import { joinChunks } from "./join-chunks.js";
import { maxResultHeaderBytes } from "./limits.js";
import { decodeVarint, encodeVarint, varintBytes } from "./varint.js";

/** All bytes of the stream; nobody else's, they may be given away. */
export function encodeResultStream(result: sluice.v1.Result.$Properties): Uint8Array<ArrayBuffer> {
  const { payload, ...fields } = result;
  const payloadBytes = payload?.length ?? 0;
  const header = sluice.v1.Result.encode({ ...fields, payloadBytes }).finish();
  const bytes = new Uint8Array(varintBytes(header.length) + header.length + payloadBytes);
  const headerAt = encodeVarint(bytes, 0, header.length);
  bytes.set(header, headerAt);
  if (payload) bytes.set(payload, headerAt + header.length);
  return bytes;
}

/** A result in front of its payload. */
export type ResultHeader = sluice.v1.Result & { readonly payloadBytes: number };

/** Puts the bytes of a result's stream together. */
export interface ResultDecoder {
  /**
   * Takes the next bytes.
   * @returns the result without its payload, once: as soon as it has come
   * @throws ProtocolError where the bytes are no result, or more than it says
   */
  decode(chunk: Uint8Array): ResultHeader | undefined;
  /** Nothing comes any more: the whole result. @throws ProtocolError where something is missing */
  finish(): sluice.v1.Result;
  /** Bytes that it holds. */
  readonly heldBytes: number;
}

/**
 * @param checkHeader is given the result in front of the payload, before anything is kept of that; what it throws,
 *   `decode` throws
 */
export function createResultDecoder(checkHeader: (result: ResultHeader) => void): ResultDecoder {
  let header: ResultHeader | undefined;
  let chunks: Uint8Array[] = [];
  let held = 0;

  function hold(bytes: Uint8Array): void {
    if (bytes.length > 0) chunks.push(bytes);
    held += bytes.length;
    if (header && held > header.payloadBytes)
      throw broken(`more than the ${header.payloadBytes} bytes of its payload`);
  }

  function readHeader(): ResultHeader | undefined {
    const bytes = joinChunks(chunks, held);
    const cursor = { bytes, offset: 0, end: bytes.length };
    const headerBytes = decodeVarint(cursor);
    // A length takes at most five bytes; with fewer at hand it may still be on its way.
    if (headerBytes < 0 && bytes.length < 5) return undefined;
    if (headerBytes < 1 || headerBytes > maxResultHeaderBytes) throw broken("not a result");
    const payloadAt = cursor.offset + headerBytes;
    if (payloadAt > bytes.length) return undefined;
    const result = decodeResult(bytes.subarray(cursor.offset, payloadAt));
    checkHeader(result);
    header = result;
    chunks = [];
    held = 0;
    hold(bytes.subarray(payloadAt));
    return result;
  }

  return {
    decode(chunk) {
      hold(chunk);
      return header ? undefined : readHeader();
    },
    finish() {
      if (!header) throw broken("it ends within the result");
      if (held < header.payloadBytes)
        throw broken(`it ends after ${held} of the ${header.payloadBytes} bytes of its payload`);
      header.payload = held > 0 ? joinChunks(chunks, held) : header.payload;
      return header;
    },
    get heldBytes() {
      return held;
    },
  };
}

function decodeResult(bytes: Uint8Array): ResultHeader {
  let result: sluice.v1.Result;
  try {
    result = sluice.v1.Result.decode(bytes);
  } catch {
    throw broken("not a result");
  }
  if (result.payload.length > 0) throw broken("a payload within the result");
  const { payloadBytes } = result;
  if (typeof payloadBytes !== "number") throw broken("it does not say how long its payload is");
  return Object.assign(result, { payloadBytes });
}

function broken(what: string): ProtocolError {
  return new ProtocolError(ErrorCode.protocolViolation, `result stream: ${what}`);
}
