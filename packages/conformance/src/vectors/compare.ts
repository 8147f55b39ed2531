import { isDeepStrictEqual } from "node:util";
import { createControlDecoder } from "@sluice/protocol/wire";
import { fromHex, plainForm, plainMessage } from "./plain-form.js";
import type { Json, Vector } from "./vector.js";

/** Whether an output is what a vector asks for; defaults may be there or not. `undefined`: it is. */
export function compareOutput(vector: Vector, output: Json): string | undefined {
  let wanted = plainForm(vector.output);
  let got = plainForm(output);
  if (vector.compare === "decoded") {
    wanted = decodeHex(wanted);
    try {
      got = decodeHex(got);
    } catch (error) {
      return `expected an encoding of ${JSON.stringify(wanted)}, got ${shorten(output)}: ${(error as Error).message}`;
    }
  }
  if (isDeepStrictEqual(wanted, got)) return undefined;
  return `expected ${shorten(wanted)}, got ${shorten(got)}`;
}

function decodeHex(value: Json): Json {
  const { hex } = value as { hex?: Json };
  if (typeof hex !== "string") throw new TypeError("no hex");
  return createControlDecoder()(fromHex(hex)).map(plainMessage);
}

/** For a report: long values are cut. */
export function shorten(value: Json, length = 300): string {
  const text = JSON.stringify(value) ?? "nothing";
  return text.length <= length ? text : `${text.slice(0, length)}... (${text.length} characters)`;
}

/** Whether every member of `wanted` is in `got` with an equal value; defaults may be absent. */
export function includes(got: Json | undefined, wanted: Json): boolean {
  if (typeof wanted !== "object" || wanted === null || Array.isArray(wanted))
    return isDeepStrictEqual(got, wanted);
  if (typeof got !== "object" || got === null || Array.isArray(got)) return false;
  const members = got as { readonly [name: string]: Json };
  return Object.entries(plainForm(wanted) as object).every(([name, value]) =>
    includes(members[name], value as Json),
  );
}
