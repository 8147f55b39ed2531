import { TensorError } from "./tensor.js";

const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

const sextets = new Int8Array(128).fill(-1);
for (let i = 0; i < alphabet.length; i++) sextets[alphabet.charCodeAt(i)] = i;

/** The digit at a place of a text, -1 where it is none. */
function codeAt(text: string, index: number): number {
  const code = text.charCodeAt(index);
  return code < 128 ? sextets[code]! : -1;
}

/** Length in characters of the base64 of so many bytes. */
export function base64Length(bytes: number): number {
  return Math.ceil(bytes / 3) * 4;
}

/** Standard base64 with padding (RFC 4648 4). */
export function encodeBase64(bytes: Uint8Array): string {
  const parts: string[] = [];
  for (let i = 0; i < bytes.length; i += 3) {
    const left = bytes.length - i;
    const word = (bytes[i]! << 16) | ((bytes[i + 1] ?? 0) << 8) | (bytes[i + 2] ?? 0);
    parts.push(
      alphabet[word >>> 18]! +
        alphabet[(word >>> 12) & 63]! +
        (left > 1 ? alphabet[(word >>> 6) & 63]! : "=") +
        (left > 2 ? alphabet[word & 63]! : "="),
    );
  }
  return parts.join("");
}

/**
 * Bytes of standard base64 with padding (RFC 4648 4); `byteLength` must be known, so that nothing is allocated for
 * a text of another length. Padding bits must be 0: every byte string has one text.
 * @throws TensorError naming `field`.
 */
export function decodeBase64(text: string, byteLength: number, field: string): Uint8Array {
  if (text.length !== base64Length(byteLength)) {
    throw new TensorError(
      field,
      `${text.length} characters of base64, ${byteLength} bytes take ${base64Length(byteLength)}`,
    );
  }
  const bytes = new Uint8Array(byteLength);
  const padding = (3 - (byteLength % 3)) % 3;
  const digits = text.length - padding;
  for (let i = digits; i < text.length; i++) {
    if (text[i] !== "=") throw new TensorError(field, `character ${i} must be the padding "="`);
  }
  let word = 0;
  let bits = 0;
  let at = 0;
  let i = 0;
  // Four digits are three bytes; the loop below takes the rest, and finds what is wrong.
  for (; i + 4 <= digits; i += 4) {
    const [a, b, c, d] = [codeAt(text, i), codeAt(text, i + 1), codeAt(text, i + 2), codeAt(text, i + 3)];
    if ((a | b | c | d) < 0) break;
    const group = (a << 18) | (b << 12) | (c << 6) | d;
    bytes[at++] = group >>> 16;
    bytes[at++] = group >>> 8;
    bytes[at++] = group;
  }
  for (; i < digits; i++) {
    const sextet = sextets[text.charCodeAt(i)] ?? -1;
    if (sextet < 0) throw new TensorError(field, `character ${i} is not base64`);
    word = ((word << 6) | sextet) & 0x3fff;
    bits += 6;
    if (bits >= 8) {
      bits -= 8;
      bytes[at++] = word >>> bits;
    }
  }
  if ((word & ((1 << bits) - 1)) !== 0) throw new TensorError(field, "bits beyond the last byte must be 0");
  return bytes;
}
