import type { ResultFormat } from "@sluice/protocol";

/**
 * The value of a result's payload (spec 7.2).
 * @throws Error where it is not one value of the format
 */
export type AnswerReader = (payload: Uint8Array, format: ResultFormat) => unknown;

const strictUtf8 = new TextDecoder("utf-8", { fatal: true });

/** MessagePack is not needed before the first stream is opened. */
export async function loadAnswerReader(): Promise<AnswerReader> {
  const { Decoder } = await import("@msgpack/msgpack");
  const messagepack = new Decoder({ mapKeyConverter: nameKey });
  return (payload, format) =>
    format === "json" ? JSON.parse(strictUtf8.decode(payload)) : messagepack.decode(payload);
}

/** Objects have keys of text; in MessagePack a key may be anything. */
function nameKey(key: unknown): string | number {
  return typeof key === "number" ? key : String(key);
}
