/**
 * The bytes of a message whose length was said beforehand, put together without a copy where one part holds all.
 * @throws RangeError where the stream ends early or goes on
 */
export async function readBody(stream, byteLength) {
  let whole;
  let filled = 0;
  for await (const part of stream) {
    if (filled + part.byteLength > byteLength) throw new RangeError(`more than ${byteLength} B came`);
    if (part.byteLength === byteLength) whole = part;
    else {
      whole ??= new Uint8Array(byteLength);
      whole.set(part, filled);
    }
    filled += part.byteLength;
  }
  if (filled !== byteLength) throw new RangeError(`${filled} of ${byteLength} B came`);
  return whole ?? new Uint8Array(0);
}
