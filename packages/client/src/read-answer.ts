import type { ResultFormat } from "@sluice/protocol";
import { C1, unpack } from "msgpackr";

const strictUtf8 = new TextDecoder("utf-8", { fatal: true });

/**
 * The value of a result's payload (spec 7.2).
 * @throws Error where it is not one value of the format
 */
export function readAnswer(payload: Uint8Array, format: ResultFormat): unknown {
  if (format === "json") return JSON.parse(strictUtf8.decode(payload));
  const answer: unknown = unpack(payload);
  if (holdsUnused(answer)) throw new RangeError("the byte 0xc1, which MessagePack never uses");
  return answer;
}

/** msgpackr reads 0xc1 as an object of its own instead of refusing it. */
function holdsUnused(value: unknown): boolean {
  if (typeof value !== "object" || value === null) return false;
  if (value === C1) return true;
  if (value instanceof Uint8Array) return false;
  const entries: Iterable<unknown> = value instanceof Map ? [...value.entries()] : Object.values(value);
  for (const entry of entries) if (holdsUnused(entry)) return true;
  return false;
}
