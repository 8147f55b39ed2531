import { H3_CODE, H3Error } from "./error.js";

/**
 * Code lengths in bits of the 256 bytes and the end-of-string symbol (RFC 7541 appendix B). The code is
 * canonical: within one length, codes count up in the order of the symbols, so the lengths are all of it.
 */
const RUNS =
  "13 23 28*7 24 30 28*2 30 28*8 30 28*9 6 10*2 12 13 6 8 11 10*2 8 11 8 6*3 5*3 6*7 7 8 15 6 12 10 13 6 7*22 8 7 8 " +
  "13 19 13 14 6 15 5 6 5 6 5 6*3 5 7*2 6*3 5 6 7 6 5*2 6 7*5 15 11 14 13 28 20 22 20*2 22*3 23 22 23*5 24 23 24*2 " +
  "22 23 24 23*4 21 22 23 22 23*2 24 22 21 20 22*2 23*2 21 23 22*2 24 21 22 23*2 21*2 22 21 23 22 23*2 20 22*3 23 " +
  "22*2 23 26*2 20 19 22 23 22 25 26*3 27*2 26 24 25 19 21 26 27*2 26 27 24 21*2 26*2 28 27*3 20 24 20 21 22 21*2 " +
  "23 22*2 25*2 24*2 26 23 26 27 26*2 27*5 28 27*5 26 30";

const END_OF_STRING = 256;
const MAX_BITS = 30;

/** Per length: its first code, how many there are, and where their symbols begin in `SYMBOLS`. */
const FIRST_CODE = new Uint32Array(MAX_BITS + 2);
const COUNT = new Uint32Array(MAX_BITS + 2);
const START = new Uint32Array(MAX_BITS + 2);
const SYMBOLS: number[] = [];

function buildTables(): void {
  const lengths: number[] = [];
  for (const run of RUNS.split(" ")) {
    const [bits = "0", times = "1"] = run.split("*");
    for (let i = 0; i < Number(times); i++) lengths.push(Number(bits));
  }
  let code = 0;
  for (let bits = 1; bits <= MAX_BITS; bits++) {
    code *= 2;
    FIRST_CODE[bits] = code;
    START[bits] = SYMBOLS.length;
    for (let symbol = 0; symbol < lengths.length; symbol++) {
      if (lengths[symbol] === bits) SYMBOLS.push(symbol);
    }
    const count = SYMBOLS.length - (START[bits] ?? 0);
    COUNT[bits] = count;
    code += count;
  }
}
buildTables();

function malformed(why: string): H3Error {
  return new H3Error(H3_CODE.QPACK_DECOMPRESSION_FAILED, `Huffman string ${why}`);
}

/** Decodes a Huffman string (RFC 7541 5.2), at most 8/5 as long as it is encoded. */
export function decodeHuffman(src: Uint8Array): Uint8Array {
  const out = new Uint8Array(Math.ceil((src.byteLength * 8) / 5));
  let length = 0;
  let code = 0;
  let bits = 0;
  for (const byte of src) {
    for (let shift = 7; shift >= 0; shift--) {
      code = code * 2 + ((byte >>> shift) & 1);
      bits += 1;
      const index = code - (FIRST_CODE[bits] ?? 0);
      if (index >= 0 && index < (COUNT[bits] ?? 0)) {
        const symbol = SYMBOLS[(START[bits] ?? 0) + index] ?? END_OF_STRING;
        if (symbol === END_OF_STRING) throw malformed("contains the end-of-string symbol");
        out[length++] = symbol;
        code = 0;
        bits = 0;
      } else if (bits >= MAX_BITS) {
        throw malformed("contains no code");
      }
    }
  }
  // RFC 7541 5.2: padding is at most 7 bits, all ones.
  if (bits > 7 || code !== 2 ** bits - 1) throw malformed("has wrong padding");
  return out.subarray(0, length);
}
