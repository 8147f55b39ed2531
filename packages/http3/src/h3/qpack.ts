import { H3_CODE, H3Error } from "./error.js";
import { MAX_FIELD_SECTION_BYTES } from "./frame.js";
import { decodeHuffman } from "./huffman.js";
import { STATIC_TABLE } from "./qpack-static.js";

/** Name and value of one field, names in lower case. */
export type Field = readonly [name: string, value: string];

/** What each field counts for besides its name and value (RFC 9114 4.2.2). */
const FIELD_OVERHEAD_BYTES = 32;
/** Bytes that an integer of 62 bits can take after its prefix (RFC 9204 4.1.1). */
const MAX_CONTINUATION_BYTES = 9;

function failed(why: string): H3Error {
  return new H3Error(H3_CODE.QPACK_DECOMPRESSION_FAILED, `field section: ${why}`);
}

class Cursor {
  offset = 0;
  constructor(readonly bytes: Uint8Array) {}

  byte(): number {
    const value = this.bytes[this.offset];
    if (value === undefined) throw failed("ends too early");
    this.offset += 1;
    return value;
  }

  /** An integer with a prefix of `bits` bits, the first byte of which was read (RFC 7541 5.1). */
  integer(first: number, bits: number): number {
    const mask = (1 << bits) - 1;
    let value = first & mask;
    if (value < mask) return value;
    for (let i = 0, scale = 1; i < MAX_CONTINUATION_BYTES; i++, scale *= 128) {
      const next = this.byte();
      value += (next & 0x7f) * scale; // Above 2^53 it is rounded: larger than any length or index that exists.
      if (next < 0x80) return value;
    }
    throw failed("integer too large");
  }

  /** A string whose length has a prefix of `bits` bits, with the Huffman bit above it (RFC 9204 4.1.2). */
  string(first: number, bits: number): string {
    const isHuffman = (first & (1 << bits)) !== 0;
    const length = this.integer(first, bits);
    if (length > this.bytes.byteLength - this.offset) throw failed("string longer than the section");
    const raw = this.bytes.subarray(this.offset, this.offset + length);
    this.offset += length;
    return Buffer.from(isHuffman ? decodeHuffman(raw) : raw).toString("latin1");
  }
}

function staticEntry(index: number): Field {
  const entry = STATIC_TABLE[index];
  if (entry === undefined) throw failed(`static index ${index}`);
  return entry;
}

/**
 * Decodes an encoded field section (RFC 9204 4.5). We allow no dynamic table, so a reference to it is an
 * error of the peer.
 */
export function decodeFieldSection(bytes: Uint8Array): Field[] {
  const cursor = new Cursor(bytes);
  if (cursor.integer(cursor.byte(), 8) !== 0) throw failed("needs a dynamic table"); // RFC 9204 4.5.1.1
  const base = cursor.byte();
  cursor.integer(base, 7);
  // RFC 9204 4.5.1.2: with nothing inserted, a base below that is negative.
  if ((base & 0x80) !== 0) throw failed("negative base");
  const fields: Field[] = [];
  let decodedBytes = 0;
  while (cursor.offset < bytes.byteLength) {
    const first = cursor.byte();
    let field: Field;
    if (first & 0x80) {
      // Indexed field line (RFC 9204 4.5.2)
      if ((first & 0x40) === 0) throw failed("refers to the dynamic table");
      field = staticEntry(cursor.integer(first, 6));
    } else if (first & 0x40) {
      // Literal with name reference (RFC 9204 4.5.4)
      if ((first & 0x10) === 0) throw failed("refers to the dynamic table");
      const [name] = staticEntry(cursor.integer(first, 4));
      field = [name, cursor.string(cursor.byte(), 7)];
    } else if (first & 0x20) {
      // Literal with literal name (RFC 9204 4.5.6)
      const name = cursor.string(first, 3);
      field = [name, cursor.string(cursor.byte(), 7)];
    } else {
      throw failed("refers to the dynamic table"); // post-base forms (RFC 9204 4.5.3, 4.5.5)
    }
    decodedBytes += field[0].length + field[1].length + FIELD_OVERHEAD_BYTES;
    if (decodedBytes > MAX_FIELD_SECTION_BYTES) {
      const message = `field section of more than ${MAX_FIELD_SECTION_BYTES} bytes`;
      throw new H3Error(H3_CODE.EXCESSIVE_LOAD, message, "stream");
    }
    fields.push(field);
  }
  return fields;
}

function pushInteger(out: number[], pattern: number, bits: number, value: number): void {
  const mask = (1 << bits) - 1;
  if (value < mask) {
    out.push(pattern | value);
    return;
  }
  out.push(pattern | mask);
  let rest = value - mask;
  for (; rest >= 128; rest = Math.floor(rest / 128)) out.push((rest % 128) | 0x80);
  out.push(rest);
}

function pushString(out: number[], pattern: number, bits: number, value: string): void {
  const raw = Buffer.from(value, "latin1");
  pushInteger(out, pattern, bits, raw.byteLength);
  out.push(...raw);
}

/** Encodes fields with the static table and plain literals, which every decoder takes. */
export function encodeFieldSection(fields: readonly Field[]): Uint8Array {
  const out = [0, 0]; // required insert count 0, base 0
  for (const [name, value] of fields) {
    const exact = STATIC_TABLE.findIndex((entry) => entry[0] === name && entry[1] === value);
    if (exact !== -1) {
      pushInteger(out, 0xc0, 6, exact);
      continue;
    }
    const named = STATIC_TABLE.findIndex((entry) => entry[0] === name);
    if (named !== -1) pushInteger(out, 0x50, 4, named);
    else pushString(out, 0x20, 3, name);
    pushString(out, 0x00, 7, value);
  }
  return Uint8Array.from(out);
}
