/** Messages as the vectors show them (spec/vectors/README.md): JSON with bytes in hex and without what is a default. */
import type { ControlMessage, OutgoingControl } from "@sluice/protocol/wire";
import type { Json, JsonObject } from "./vector.js";

/** Fields that say something by being 0: the optional ones of the .proto files. */
const optional = new Set(["payloadBytes", "sequence", "repair", "urgency"]);
/** Fields of bytes; they are hex in the plain form. */
const byteFields = new Set(["token", "statisticsHash", "received", "payload"]);

export const toHex = (bytes: Uint8Array): string =>
  Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
export const fromHex = (hex: string): Uint8Array =>
  Uint8Array.from({ length: hex.length >> 1 }, (_, i) => Number.parseInt(hex.slice(2 * i, 2 * i + 2), 16));

function isDefault(name: string, value: Json): boolean {
  if (value === null) return true;
  if (optional.has(name)) return false;
  return value === 0 || value === "" || value === false || (Array.isArray(value) && value.length === 0);
}

/** Takes what any decoder gives: typed arrays, 64-bit numbers as objects, nulls and defaults. */
export function plainForm(value: unknown): Json {
  if (value instanceof Uint8Array) return toHex(value);
  if (Array.isArray(value)) return value.map(plainForm);
  if (typeof value !== "object" || value === null) return (value ?? null) as Json;
  if ("toNumber" in value && typeof value.toNumber === "function")
    return (value as { toNumber(): number }).toNumber();
  return Object.fromEntries(
    Object.entries(value)
      .map(([name, entry]) => [name, plainForm(entry)] as const)
      .filter(([name, entry]) => !isDefault(name, entry)),
  );
}

export function plainMessage({ kind, body }: ControlMessage): JsonObject {
  return { kind, body: plainForm(body) };
}

/** A message out of its plain form, ready to be encoded. */
export function messageOf(plain: Json): OutgoingControl {
  const { kind, body } = plain as { kind: string; body: JsonObject };
  const fields = Object.fromEntries(
    Object.entries(body).map(([name, value]) => [
      name,
      byteFields.has(name) ? fromHex(value as string) : value,
    ]),
  );
  return { kind, body: fields } as OutgoingControl;
}
