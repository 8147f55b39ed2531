import { H3_CODE, H3Error } from "./error.js";

/** Longest integer in bytes: 62 bits (RFC 9204 4.1.1) after the prefix. */
const MAX_CONTINUATION_BYTES = 10;

/** Checks the peer's encoder stream: with a capacity of 0 it may only say so again (RFC 9204 3.2.3, 4.3.1). */
export function checkEncoderInstructions(bytes: Uint8Array): void {
  for (const byte of bytes) {
    if (byte !== 0x20)
      throw new H3Error(H3_CODE.QPACK_ENCODER_STREAM_ERROR, "insertion into a table of capacity 0");
  }
}

/**
 * Checks the peer's decoder stream. We insert nothing and refer to nothing, so there is nothing to acknowledge or to
 * count (RFC 9204 4.4.1, 4.4.3); only cancellations of streams may come (4.4.2), and mean nothing to us.
 */
export class DecoderStreamChecker {
  /** Bytes so far of an integer that goes on; -1 between two instructions. */
  #continued = -1;

  push(bytes: Uint8Array): void {
    for (const byte of bytes) {
      if (this.#continued >= 0) {
        this.#continued += 1;
        if (this.#continued > MAX_CONTINUATION_BYTES) throw failed("integer too long");
        if (byte < 0x80) this.#continued = -1;
      } else if ((byte & 0x80) !== 0) throw failed("acknowledgement of a section that refers to no table");
      else if ((byte & 0x40) === 0) throw failed("count of insertions that were never made");
      else if ((byte & 0x3f) === 0x3f) this.#continued = 0;
    }
  }
}

function failed(why: string): H3Error {
  return new H3Error(H3_CODE.QPACK_DECODER_STREAM_ERROR, why);
}
