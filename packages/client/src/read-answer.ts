import { decode } from "@msgpack/msgpack";

/**
 * The value of a result's payload (spec 7.2).
 * @throws Error where it is not one MessagePack value
 */
export function readAnswer(payload: Uint8Array): unknown {
  return decode(payload, { mapKeyConverter: nameKey });
}

/** Objects have keys of text; in MessagePack a key may be anything. */
function nameKey(key: unknown): string | number {
  return typeof key === "number" ? key : String(key);
}
