import type { PathConditions } from "./network-paths.js";

const maxDelayMs = 2_000;
const maxBurst = 100;

/** @throws RangeError naming the field */
export function parseConditions(text: string): PathConditions {
  let value: Record<string, unknown>;
  try {
    value = JSON.parse(text) as Record<string, unknown>;
  } catch {
    throw new RangeError("body: is not JSON");
  }
  const number = (name: string, min: number, max: number): number => {
    const found = value?.[name];
    if (typeof found === "number" && found >= min && found <= max) return found;
    throw new RangeError(`${name}: must be a number from ${min} to ${max}, got ${JSON.stringify(found)}`);
  };
  const loss = number("loss", 0, 1);
  const burst = number("burst", 1, maxBurst);
  return {
    delayMs: number("delayMs", 0, maxDelayMs),
    loss,
    // So many losses need longer runs.
    burst: loss < 1 && burst > 1 ? Math.max(burst, Math.ceil((100 * loss) / (1 - loss)) / 100) : burst,
    rateBitsPerSecond: value.rateBitsPerSecond === null ? null : number("rateBitsPerSecond", 1e4, 1e10),
  };
}
