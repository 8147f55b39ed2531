import { decode } from "@msgpack/msgpack";
import type { ResultFormat } from "@sluice/protocol";

const strictUtf8 = new TextDecoder("utf-8", { fatal: true });

/**
 * The value of a result's payload (spec 7.2).
 * @throws Error where it is not one value of the format
 */
export function readAnswer(payload: Uint8Array, format: ResultFormat): unknown {
  if (format === "json") return JSON.parse(strictUtf8.decode(payload));
  return decode(payload, { mapKeyConverter: nameKey });
}

/** Objects have keys of text; in MessagePack a key may be anything. */
function nameKey(key: unknown): string | number {
  return typeof key === "number" ? key : String(key);
}
